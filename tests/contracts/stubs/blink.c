/* What Meadowlark's Blink SDK does, of whichever generation its header is. */
#include <stdbool.h>
#include <string.h>
#include "Blink_C_wrapper.h"

enum { HEIGHT = 64, WIDTH = 160 };

static unsigned char panel[HEIGHT * WIDTH];
static int boards = 1, open_now, waits, pulses, no_trigger, power;
static const char *problem = "";

/* For tests. */
const unsigned char *stub_panel(void) { return panel; }
void stub_boards(int count) { boards = count; }
void stub_no_trigger(int none) { no_trigger = none; }
int stub_open(void) { return open_now; }
int stub_waits(void) { return waits; }
int stub_pulses(void) { return pulses; }
int stub_power(void) { return power; }

static int load(const char *file)
{
    size_t length = strlen(file);
    problem = "not a LUT of this SLM";
    return length > 4 && !strcmp(file + length - 4, ".lut") ? 1 : -1;
}
static int show(const unsigned char *image, int wait, int pulse)
{
    if (!open_now) return -1;
    waits = wait;
    pulses += pulse;
    memcpy(panel, image, sizeof panel);
    return 1;
}

#ifdef HDMI
#if CREATE == 1
void Create_SDK(unsigned int cpp_or_python) { open_now = 1; }
#else
void Create_SDK(void) { open_now = 1; }
#endif
#if WRITE == 3
int Write_image(int board, unsigned char *image, unsigned int is_8_bit) { return show(image, 0, 0); }
#else
int Write_image(unsigned char *image, unsigned int is_8_bit) { return show(image, 0, 0); }
#endif
int Get_Height(void) { return HEIGHT; }
int Get_Width(void) { return WIDTH; }
int Get_Depth(void) { return 8; }
int Load_lut(char *file) { return load(file); }
#else
static int set_up(unsigned int *found, int *well) { *found = boards; *well = 1; return open_now = 1; }
#if CREATE == 8
void Create_SDK(unsigned int bits, unsigned int *found, int *well, int nematic, int ram, int gpu,
                int transients, char *lut) { set_up(found, well); }
#else
void Create_SDK(unsigned int *found, int *well) { set_up(found, well); }
#endif
#if WRITE == 3
static int set_wait, set_pulse;
void SetWaitForTrigger(int board, int on) { set_wait = on; }
void SetFlipImmediate(int board, int on) { }
void SetOutputPulse(int board, int on) { set_pulse = on; }
int Write_image(int board, unsigned char *image, unsigned int timeout_ms)
{ return show(image, set_wait, set_pulse); }
#elif WRITE == 6
int Write_image(int board, unsigned char *image, int wait, int flip, int pulse, unsigned int timeout_ms)
{ return flip ? -1 : show(image, wait, pulse); }
#else
int Write_image(int board, unsigned char *image, unsigned int size, int wait, int flip, int pulse,
                int refresh, unsigned int timeout_ms)
{ return flip || size != sizeof panel ? -1 : show(image, wait, pulse); }
#endif
int ImageWriteComplete(int board, unsigned int timeout_ms) { return waits && no_trigger ? -1 : 1; }
int Get_image_height(int board) { return HEIGHT; }
int Get_image_width(int board) { return WIDTH; }
int Get_image_depth(int board) { return 8; }
int Read_Serial_Number(int board) { return 4711; }
int Load_LUT_file(int board, char *file) { return load(file); }
const char *Get_last_error_message(void) { return problem; }
void Set_true_frames(int frames) { }
void SLM_power(int on) { power = on; }
#endif
void Delete_SDK(void) { open_now = 0; }
