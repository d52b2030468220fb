/* What ViALUX's ALP library does, as far as its C interface shows: sequences in memory, played or not. */
#include <stdlib.h>
#include <string.h>

enum { OK = 0, NOT_ONLINE = 1001, INVALID_ID = 1003, NOT_AVAILABLE = 1004, PARM = 1005, IN_USE = 1008,
       REMOVED = 1012, WIDTH = 64, HEIGHT = 48, SEQUENCES = 8, SERIAL = 11223 };

typedef struct { long pictures, mode, format, time_us; unsigned char *data; } sequence_t;

static sequence_t sequences[SEQUENCES];
static long shown = -1, repeats, synch = 2006;
static int taken, removed, halted = 1;
static long memory = 1000;

/* For tests: another program has it; its cable is out; its memory in pictures; what stands and how. */
void stub_memory(long pictures) { memory = pictures; }
void stub_take(int by_another) { taken = by_another; }
void stub_remove(int gone) { removed = gone; }
long stub_pictures(void) { return shown < 0 ? 0 : sequences[shown].pictures; }
long stub_time_us(void) { return shown < 0 ? 0 : sequences[shown].time_us; }
long stub_repeats(void) { return repeats; }
long stub_synch(void) { return synch; }
int stub_open(void) { return taken == 2; }
long stub_in_memory(void)
{
    long count = 0;
    for (int i = 0; i < SEQUENCES; i++) count += sequences[i].pictures > 0;
    return count;
}
const unsigned char *stub_picture(long number)
{
    return shown < 0 ? NULL : sequences[shown].data + number * HEIGHT * (WIDTH / 8);
}

long AlpDevAlloc(long number, long flag, unsigned long *id)
{
    if (removed) return NOT_ONLINE;
    if (number && number != SERIAL) return NOT_ONLINE;
    if (taken) return NOT_AVAILABLE;
    taken = 2;
    *id = 1;
    return OK;
}
long AlpDevInquire(unsigned long id, int what, long *value)
{
    if (removed) return REMOVED;
    if (what == 2000) *value = SERIAL;
    else if (what == 2021) *value = 1;
    else if (what == 2057) *value = HEIGHT;
    else if (what == 2058) *value = WIDTH;
    else return PARM;
    return OK;
}
long AlpDevControl(unsigned long id, int what, long value)
{
    if (removed) return REMOVED;
    if (what != 2004) return PARM;
    synch = value;
    return OK;
}
long AlpSeqAlloc(unsigned long id, long bits, long pictures, unsigned long *sequence)
{
    if (removed) return REMOVED;
    if (bits != 1 || pictures < 1) return PARM;
    long used = 0;
    for (int i = 0; i < SEQUENCES; i++) used += sequences[i].pictures;
    if (used + pictures > memory) return 1007;
    for (unsigned long i = 0; i < SEQUENCES; i++)
        if (!sequences[i].pictures) {
            sequences[i] = (sequence_t){pictures, 0, 0, 33334, malloc(pictures * HEIGHT * WIDTH)};
            *sequence = i + 100;
            return OK;
        }
    return 1007;
}
static sequence_t *find(unsigned long sequence)
{
    long i = (long)sequence - 100;
    return i >= 0 && i < SEQUENCES && sequences[i].pictures ? sequences + i : NULL;
}
long AlpSeqControl(unsigned long id, unsigned long sequence, int what, long value)
{
    sequence_t *found = find(sequence);
    if (removed) return REMOVED;
    if (!found) return INVALID_ID;
    if (what == 2104) found->mode = value;
    else if (what == 2110) found->format = value;
    else return PARM;
    return OK;
}
long AlpSeqPut(unsigned long id, unsigned long sequence, long first, long count, const void *pixels)
{
    sequence_t *found = find(sequence);
    if (removed) return REMOVED;
    if (!found || found->format != 2) return INVALID_ID;
    if (!halted && found == sequences + shown) return IN_USE;
    memcpy(found->data, pixels, found->pictures * HEIGHT * (WIDTH / 8));
    return OK;
}
long AlpSeqTiming(unsigned long id, unsigned long sequence, long on, long picture, long delay, long width,
                  long in)
{
    sequence_t *found = find(sequence);
    if (!found) return INVALID_ID;
    found->time_us = picture;
    return OK;
}
static long start(unsigned long sequence, long times)
{
    if (removed) return REMOVED;
    if (!find(sequence)) return INVALID_ID;
    shown = (long)sequence - 100;
    repeats = times;
    halted = 0;
    return OK;
}
long AlpProjStart(unsigned long id, unsigned long sequence) { return start(sequence, 1); }
long AlpProjStartCont(unsigned long id, unsigned long sequence) { return start(sequence, 0); }
long AlpDevHalt(unsigned long id) { halted = 1; return removed ? REMOVED : OK; }
long AlpSeqFree(unsigned long id, unsigned long sequence)
{
    sequence_t *found = find(sequence);
    if (!found) return INVALID_ID;
    if (!halted && found == sequences + shown) return IN_USE;
    found->pictures = 0;
    return OK;
}
long AlpDevFree(unsigned long id) { taken = 0; return OK; }
