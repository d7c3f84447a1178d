# SPDX-License-Identifier: Apache-2.0
"""The C interface of a kernel pack by ctypes. Structs and choices are read from the pack's own headers, so that a
field that an op gains is known here at once. Every field of an argument struct is 8 bytes wide."""
import ctypes
import hashlib
import pathlib
import re

NO_KERNEL, DEVICE = 7, 10  # ks_status, runtime/include/kingsnake/kingsnake.h


class Error(Exception):
    """One line: what, and why."""


class NoKernel(Error):
    """The pack cannot run this on a GPU."""


def read_structs(text):
    """{struct name: [(field, ctypes type)]} of the structs in a header."""
    structs = {}
    plain = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", plain, flags=re.S):
        fields = []
        for declaration in body.split(";"):
            if not declaration.strip():
                continue
            found = re.fullmatch(r"\s*(?:const\s+)?(\w+)\s+(\*?)\s*(\w+)\s*", declaration)
            types = {"size_t": ctypes.c_uint64, "int64_t": ctypes.c_int64, "double": ctypes.c_double}
            if not found or not (found[2] or found[1] in types):
                raise Error(f"{name}: cannot read the field '{' '.join(declaration.split())}'")
            fields.append((found[3], ctypes.c_void_p if found[2] else types[found[1]]))
        structs[name] = fields
    return structs


def read_constants(text):
    return {name: int(value) for body in re.findall(r"enum \{(.*?)\}", text, flags=re.S)
            for name, value in re.findall(r"(KS_\w+) = (\d+)", body)}


class Call:
    """One op with its arguments, ready to launch on a stream. Holds the tensors that it points to."""

    def __init__(self, library, op, arguments, held):
        self.library, self.op, self.arguments, self.held = library, op, arguments, held
        self.function = library.function(f"ks_{op}")

    def __call__(self, stream):
        self.arguments.stream = stream
        status = self.function(self.library.handle, ctypes.byref(self.arguments))
        if status:
            raise Error(f"ks_{self.op}: {self.library.last_error()}")


class Library:
    """A pack's shared library, opened for GPU `device`. `headers` are the texts of kingsnake.h and ops.h."""

    def __init__(self, path, headers, device=0):
        text = "\n".join(headers)
        self.structs, self.constants = read_structs(text), read_constants(text)
        self.path = pathlib.Path(path)
        create = self.structs.get("ks_create_args", [])
        if "device" not in dict(create):
            raise NoKernel(f"{path}: ks_create_args has no field 'device': a pack without CUDA")
        try:
            self.shared = ctypes.CDLL(str(path))
        except OSError as error:
            raise Error(str(error))
        self.shared.ks_last_error.restype = ctypes.c_char_p
        self.shared.ks_destroy.argtypes = [ctypes.c_void_p]
        self.shared.ks_destroy.restype = None
        self.handle = ctypes.c_void_p()
        isa = ctypes.create_string_buffer(b"cuda")
        arguments = self.struct("ks_create_args", {"device": device, "isa": ctypes.addressof(isa), "threads": 1})
        status = self.shared.ks_create(ctypes.byref(arguments), ctypes.byref(self.handle))
        if status:
            raise (Error if status == DEVICE else NoKernel)(f"{path}: {self.last_error()}")

    def close(self):
        self.shared.ks_destroy(self.handle)

    def identity(self):
        """Of the kernels and the dispatch rules, which are linked into the library."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    def last_error(self):
        return (self.shared.ks_last_error() or b"").decode()

    def function(self, name):
        found = getattr(self.shared, name)
        found.argtypes, found.restype = [ctypes.c_void_p, ctypes.c_void_p], ctypes.c_int
        return found

    def struct(self, name, values):
        fields = self.structs[name]
        unknown = set(values) - {field for field, _ in fields}
        if unknown:
            raise Error(f"{name} has no field {', '.join(sorted(unknown))}; "
                        f"it has {', '.join(field for field, _ in fields)}")
        made = type(name, (ctypes.Structure,), {"_fields_": fields})()
        made.size = ctypes.sizeof(made)
        for field, value in values.items():
            setattr(made, field, value)
        return made

    def bind(self, op, **values):
        """Tensors for pointers, names for choices (io="bf16"), numbers for the rest; what is not given is 0 or null.
        Raises NoKernel where the pack has no such op or no kernel for these sizes."""
        name = f"ks_{op}_args"
        if name not in self.structs:
            raise NoKernel(f"no CUDA kernel yet: the pack has no op {op}")
        if "stream" not in dict(self.structs[name]):
            raise NoKernel(f"no CUDA kernel yet: {name} has no field 'stream'")
        arguments = self.struct(name, {field: self.value_of(op, field, value) for field, value in values.items()})
        status = self.function(f"ks_{op}_supported")(self.handle, ctypes.byref(arguments))
        if status == NO_KERNEL:
            raise NoKernel(f"no CUDA kernel yet: {self.last_error()}")
        if status:
            raise Error(f"ks_{op}: {self.last_error()}")
        return Call(self, op, arguments, values)

    def value_of(self, op, field, value):
        if isinstance(value, str):
            constant = f"KS_{op}_{field}_{value}".upper()
            if constant not in self.constants:
                raise NoKernel(f"no CUDA kernel yet: {op} has no {field} {value}")
            return self.constants[constant]
        return value.data_ptr() if hasattr(value, "data_ptr") else value


def open_pack(folder, device=0, root="."):
    """A folder as `ksc pack` fills it, with libkingsnake.so in it or beside it."""
    folder = pathlib.Path(folder)
    places = [folder / "libkingsnake.so", folder.parent / "libkingsnake.so"]
    shared = next((p for p in places if p.exists()), None)
    ops = folder / "include/kingsnake/ops.h"
    base = next((p for p in [folder / "include/kingsnake/kingsnake.h",
                             pathlib.Path(root) / "runtime/include/kingsnake/kingsnake.h"] if p.exists()), None)
    if not shared or not ops.exists() or not base:
        raise NoKernel(f"{folder}: wanted libkingsnake.so and include/kingsnake/ops.h there")
    return Library(shared, [base.read_text(), ops.read_text()], device)
