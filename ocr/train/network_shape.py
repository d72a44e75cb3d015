"""The measures of the reading network, in one place."""

import alphabet

HEIGHT, WIDTH = 48, 168
STRIDE = 4  # pixels along the plate per time step
STEPS = WIDTH // STRIDE
CHANNELS = (24, 48, 64, 96)
LSTM = 64
# Tesseract's outputs: space, the characters, one that is never read, blank. The
# unread one is there because GetRawLSTMTimesteps() takes the last code before
# the blank for a blank itself (recodebeam.cpp, SaveMostCertainChoices).
CODES = alphabet.CLASSES + 2
SPEC = (
    f"[1,{HEIGHT},0,1 Ct3,3,{CHANNELS[0]} Mp2,2 Ct3,3,{CHANNELS[1]} Mp2,2 Ct3,3,{CHANNELS[2]} Mp3,1 S4,1 "
    f"Ct1,3,{CHANNELS[3]} Lbx{LSTM} O1c{CODES}]"
)
