"""Small components that need each other, in the binary format: what the benchmarks compose."""

# Sections and declarations of the binary format of components, as far as they are needed here.
CORE_MODULE, CORE_INSTANCE, INSTANCE, ALIAS, TYPE, CANON, IMPORT, EXPORT = 1, 2, 5, 6, 7, 8, 10, 11
U32, I32 = 0x79, 0x7F


def leb(number):
    """An unsigned number."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def name(text):
    return leb(len(text)) + text.encode()


def vector(items):
    return leb(len(items)) + b"".join(items)


def section(kind, items):
    content = vector(items)
    return bytes([kind]) + leb(len(content)) + content


def sections(binary):
    """The sections of a WebAssembly binary, without custom ones."""
    found, at = [], 8
    while at < len(binary):
        kind, size, shift, at = binary[at], 0, 0, at + 1
        while True:
            byte, at = binary[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if kind != 0:
            found.append((kind, binary[at : at + size]))
        at += size
    return found


def module(imports, times):
    """A core module whose function `call` calls all its imports so many times, and answers with the sum."""
    of_type_0 = b"\0\0"
    calls = [index for index in range(imports) for _ in range(times)]
    called = b"".join(b"\x10" + leb(index) + (b"\x6a" if count else b"") for count, index in enumerate(calls))
    body = b"\0" + (called or b"\x41\x01") + b"\x0b"
    return b"\0asm\1\0\0\0" + b"".join((
        section(1, [b"\x60\0\1" + bytes([I32])]),
        section(2, [name("") + name(f"i{index}") + of_type_0 for index in range(imports)]),
        section(3, [b"\0"]),
        section(7, [name("call") + b"\0" + leb(imports)]),
        section(10, [leb(len(body)) + body]),
    ))


def part(imports, export, times=1):
    """A component whose function `call` in the interface `export` calls those of the interfaces that it imports, each of
    them so many times."""
    count = len(imports)
    function = b"\x40\0\0" + bytes([U32])
    with_call = b"\x42" + vector([b"\1" + function, b"\4\0" + name("call") + b"\1\0"])
    core = module(count, times)
    items = [name(f"i{index}") + b"\0" + leb(index) for index in range(count)]
    return b"\0asm\x0d\0\1\0" + b"".join((
        section(TYPE, [with_call, function]),
        section(IMPORT, [b"\0" + name(interface) + b"\5\0" for interface in imports]),
        section(ALIAS, [b"\1\0" + leb(index) + name("call") for index in range(count)]),
        section(CANON, [b"\1\0" + leb(index) + b"\0" for index in range(count)]),
        bytes([CORE_MODULE]) + leb(len(core)) + core,
        section(CORE_INSTANCE, [b"\1" + vector(items), b"\0\0" + vector([name("") + b"\x12\0"])]),
        section(ALIAS, [b"\0\0\1\1" + name("call")]),
        section(CANON, [b"\0\0" + leb(count) + b"\0\1"]),
        section(INSTANCE, [b"\1" + vector([b"\0" + name("call") + b"\1" + leb(count)])]),
        section(EXPORT, [b"\0" + name(export) + b"\5" + leb(count) + b"\0"]),
    ))


def interface(index):
    return f"bench:parts/step{index}@0.1.0"


def chain(count, times=1):
    """Each part needs the one before it, and calls it so many times whenever it is called."""
    return [part([interface(index - 1)] if index else [], interface(index), times) for index in range(count)]


def fan(count):
    """All parts but one are needed by that one."""
    plugs = [part([], interface(index)) for index in range(count - 1)]
    socket = part([interface(index) for index in range(count - 1)], "bench:parts/socket@0.1.0")
    return [*plugs, socket]


def diamond(count):
    """All parts but two need the first one, and are needed by the last one."""
    first = part([], "bench:parts/first@0.1.0")
    between = [part(["bench:parts/first@0.1.0"], interface(index)) for index in range(count - 2)]
    last = part([interface(index) for index in range(count - 2)], "bench:parts/last@0.1.0")
    return [first, *between, last]
