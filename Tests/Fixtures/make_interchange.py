"""interchange/: files that NumPy and safetensors wrote; interchange.json tells what they hold."""

import numpy
import torch
from numpy.lib import format as npy
from safetensors.torch import save_file

from fixture_io import DATA, write

FOLDER = DATA / "interchange"


def sample(dtype):
    """Six values in two rows, with what the type has of extremes."""
    kind = numpy.dtype(dtype).kind
    if kind == "f":
        values = [0.0, -1.5, 0.1, 65504.0, -6.1035e-05, 2.0]
    elif kind == "b":
        values = [True, False, True, True, False, False]
    else:
        info = numpy.iinfo(dtype)
        values = [0, 1, 7, info.max, info.min, info.max - 1]
    return numpy.array(values, dtype=dtype).reshape(2, 3)


def npy_files():
    arrays = {name: sample(name) for name in ["<f4", "<f8", "<f2", "<i4", "<i8", "|u1", "|b1"]}
    arrays = {f"{numpy.dtype(name).name}.npy": array for name, array in arrays.items()}
    arrays["big_endian.npy"] = sample(">f4")
    arrays["fortran_order.npy"] = numpy.asfortranarray(sample("<f4"))
    arrays["scalar.npy"] = numpy.array(2.5, dtype="<f4")
    arrays["empty.npy"] = numpy.zeros((0, 3), dtype="<f4")
    for name, array in arrays.items():
        numpy.save(FOLDER / name, array)
    with open(FOLDER / "version2.npy", "wb") as file:
        npy.write_array(file, sample("<f4"), version=(2, 0))
    arrays["version2.npy"] = sample("<f4")
    return [
        {
            "file": name,
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "values": array.reshape(-1).tolist(),
        }
        for name, array in arrays.items()
    ]


def safetensors_file():
    types = {
        "F64": torch.float64,
        "F32": torch.float32,
        "BF16": torch.bfloat16,
        "F16": torch.float16,
        "I64": torch.int64,
        "I32": torch.int32,
        "U8": torch.uint8,
        "BOOL": torch.bool,
    }
    numbers = torch.tensor([[0.0, 1.0, 2.0], [3.0, 100.0, 0.5]])
    named = {f"values.{name}": numbers.to(dtype) for name, dtype in types.items()}
    named["scalar"] = torch.tensor(2.5)
    named["empty"] = torch.zeros(0, 3)
    # One entry only: the package writes several in any order.
    metadata = {"note": 'line\nbreak, "quote", ü'}
    save_file(named, FOLDER / "all_types.safetensors", metadata)
    types_by_dtype = {dtype: name for name, dtype in types.items()}
    return metadata, [
        {
            "name": name,
            "dtype": types_by_dtype[value.dtype],
            "shape": list(value.shape),
            "values": value.double().reshape(-1).tolist(),
        }
        for name, value in named.items()
    ]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    arrays = npy_files()
    metadata, tensors = safetensors_file()
    write("interchange", {"npy": arrays, "safetensorsMetadata": metadata, "safetensors": tensors})


if __name__ == "__main__":
    main()
