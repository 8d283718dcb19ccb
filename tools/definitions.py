"""What the facts files are made of: objects and choices, and how they are written."""


class Refused(Exception):
    """A schema says something that the catalogue has no words for."""


class Definition:
    """An object or a choice, and how often it is used.

    A choice's body is ("choice", values); an object's is ("object", open, fields), each field being
    (name, required, kind). A kind is a string, a Definition, or ("list", bounds, kind).
    """

    def __init__(self, name: str, body: tuple, message: str) -> None:
        self.name, self.body, self.message, self.uses = name, body, message, 1

    def block(self) -> str:
        if self.body[0] == "choice":
            return "\n".join([f"choice {self.name}"] + [f"  {value}" for value in self.body[1]])
        _, is_open, fields = self.body
        keys = [name + ("!" if required else "") for name, required, _ in fields]
        width = max((len(key) for key in keys), default=0)
        lines = [("open " if is_open else "") + f"object {self.name}"]
        for key, (_, _, kind) in zip(keys, fields):
            lines.append(f"  {key:<{width}}  {words(kind)}")
        return "\n".join(lines)


def words(kind) -> str:
    """A kind as the facts file writes it."""
    if isinstance(kind, Definition):
        return f"{kind.body[0]} {kind.name}"
    if isinstance(kind, tuple):
        return f"list {kind[1]} {words(kind[2])}"
    return kind


def same(one, other) -> bool:
    """Whether two bodies or kinds say the same; neither the order of the fields nor that of an
    enumeration's values says anything."""
    if isinstance(one, Definition) and isinstance(other, Definition):
        return one is other or same(one.body, other.body)
    if not (isinstance(one, tuple) and isinstance(other, tuple)):
        return one == other
    if one[0] != other[0] or len(one) != len(other):
        return False
    if one[0] == "choice":
        return set(one[1]) == set(other[1])
    if one[0] == "list":
        return one[1] == other[1] and same(one[2], other[2])
    mine, theirs = ({name: rest for name, *rest in body[2]} for body in (one, other))
    return (
        one[1] == other[1]
        and mine.keys() == theirs.keys()
        and all(
            required == theirs[name][0] and same(kind, theirs[name][1])
            for name, (required, kind) in mine.items()
        )
    )
