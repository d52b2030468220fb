"""Workers: processes of this machine or tasks of Ray that train layer sets and run trials."""
