"""Types of arrays: what a signature calls them everywhere in the package."""

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints8 = NDArray[np.int8]
Ints32 = NDArray[np.int32]
Ints = NDArray[np.int64]
Floats32 = NDArray[np.float32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint32]  # code points
Keys = NDArray[np.uint64]  # of strings, see `stance.reading.keys`
Cells = NDArray[np.bytes_]  # of a table
