"""Writes schemas as types of Python."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .schema import (
    Member,
    Members,
    Schema,
    Schemas,
    as_object,
    choices_of,
    is_object,
    members,
    merged,
    narrowed,
    referred,
    remarks,
    tag_of,
    types_of,
)

WIDTH = 116
_SCALARS = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "null": "None"}


def pascal(words: str) -> str:
    """`awaiting_input` and `run.updated` as parts of a name."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", words))


def docstring(lines: Iterable[str], indent: str) -> str:
    """A docstring, or nothing where there is nothing to say."""
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if not text:
        return ""
    if len(indent) + len(text) + 6 <= WIDTH and "\n" not in text and not text.endswith('"'):
        return f'{indent}"""{text}"""\n'
    wrapped = [part for line in text.split("\n") for part in textwrap.wrap(line, WIDTH - len(indent)) or [""]]
    return "".join(f"{indent}{line}".rstrip() + "\n" for line in ['"""' + wrapped[0], *wrapped[1:], '"""'])


def union(parts: Iterable[str]) -> str:
    """One type for several, the words of literals together."""
    words: list[str] = []
    others: list[str] = []
    for part in (piece for given in parts for piece in _split(given)):
        if part.startswith("Literal["):
            words += [word for word in part[len("Literal[") : -1].split(", ") if word not in words]
        elif part not in others:
            others.append(part)
    if words:
        others.insert(0, f"Literal[{', '.join(words)}]")
    if "None" in others:
        others.append(others.pop(others.index("None")))
    return " | ".join(others)


def _split(expression: str) -> list[str]:
    """The alternatives of a union, without those inside of brackets."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(expression):
        depth += {"[": 1, "]": -1}.get(char, 0)
        if depth == 0 and expression.startswith(" | ", at):
            parts.append(expression[start:at])
            start = at + 3
    return [*parts, expression[start:]]


@dataclass
class Shape:
    """What the written type of an object is: its name, and what it may have in any of its forms."""

    expression: str
    members: Members
    types: dict[str, str] = field(default_factory=dict)


class TypeWriter:
    """Writes types; `schemas` are those that references mean."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._classes: dict[str, str] = {}
        self._aliases: dict[str, tuple[str, list[str]]] = {}
        self.shapes: dict[str, Shape] = {}

    def declare(self, name: str, schema: Schema) -> None:
        """Gives a schema a name of its own."""
        expression = self.expression(schema, name)
        if expression != name:
            self._aliases[name] = (expression, remarks(schema))

    def text(self) -> str:
        """All declarations, each after what it needs."""
        early: dict[str, str] = {}
        late: dict[str, str] = {}
        waiting = dict(self._aliases)
        while waiting:
            ready = [name for name, (expression, _) in waiting.items() if not self._named(expression) & waiting.keys()]
            if not ready:
                raise ValueError(f"these types mean each other: {', '.join(waiting)}")
            for name in ready:
                expression, said = waiting.pop(name)
                # What an alias means is looked up where it stands; what a class says is looked up later.
                after_classes = self._named(expression) & (self._classes.keys() | late.keys())
                place = late if after_classes else early
                place[name] = f"{name}: TypeAlias = {_broken(name, expression)}\n{docstring(said, '')}"
        return "\n".join([*early.values(), "", *(f"\n{text}" for text in self._classes.values()), "", *late.values()])

    @staticmethod
    def _named(expression: str) -> set[str]:
        return set(re.findall(r"[A-Za-z_]\w*", re.sub(r'"[^"]*"', "", expression)))

    def expression(self, schema: Schema, name: str) -> str:
        """The type of a schema; what has no name of its own and needs one is called by `name`."""
        if schema is True:
            return "Any"
        if schema is False:
            raise ValueError(f"{name}: nothing is of this type")
        said = as_object(schema)
        if "$ref" in said:
            return referred(said["$ref"])
        if "const" in said:
            return f"Literal[{_word(said['const'])}]"
        if "enum" in said:
            return union(f"Literal[{_word(value)}]" if value is not None else "None" for value in said["enum"])
        if is_object(schema):
            null = ["None"] if "null" in types_of(said) else []
            return union([self._object(said, name).expression, *null])
        variants = said.get("oneOf") or said.get("anyOf")
        if variants is not None:
            return self._variants(variants, name)
        types = types_of(said)
        if not types:
            return "Any"
        return union(self._type(one, said, name) for one in types)

    def _type(self, one: str, said: Mapping[str, Any], name: str) -> str:
        if one in _SCALARS:
            return _SCALARS[one]
        if one == "array":
            item = f"{name}Item"
            return f"list[{self._short(self.expression(said.get('items', True), item), item)}]"
        if one == "object":
            return self._object(said, name).expression
        raise ValueError(f"{name} has the type {one}, which this generator does not know")

    def _variants(self, variants: list[Schema], name: str) -> str:
        anonymous = [variant for variant in variants if is_object(variant)]
        alone = len([variant for variant in variants if as_object(variant).get("type") != "null"]) == 1
        parts = []
        for variant in variants:
            called = name
            if variant in anonymous and not alone:
                called += self._suffix(as_object(variant), name)
            parts.append(self.expression(variant, called))
        return union(parts)

    def _suffix(self, variant: Mapping[str, Any], name: str) -> str:
        """What tells one of several objects from the others: a word, or what only it must have."""
        for member in members(variant).values():
            if isinstance(as_object(member.schema).get("const"), str):
                return pascal(as_object(member.schema)["const"])
        required = variant.get("required", ())
        if required:
            return pascal(required[0])
        if "additionalProperties" in variant and "properties" not in variant:
            return ""
        raise ValueError(f"one of the objects that {name} may be has no word of its own")

    def _object(self, schema: Mapping[str, Any], name: str) -> Shape:
        own = members(schema)
        tagged = []
        for forms in choices_of(schema, self._schemas):
            if tag_of(forms) is None:
                own = merged(own, forms)
            else:
                tagged.append(forms)
        if not own and not tagged:
            rest = schema.get("additionalProperties", True)
            if rest is not False:
                return Shape(f"dict[str, {self.expression(rest, name + 'Value')}]", {})
        if len(tagged) > 1:
            raise ValueError(f"{name} differs by more than one word")
        said = [schema["description"]] if "description" in schema else []
        shape = Shape(name, own) if not tagged else self._forms(own, tagged[0], name, said)
        if not tagged:
            self._class(name, own, said, name)
        everything = merged(own, tagged[0]) if tagged else own
        shape.members = everything
        shape.types = {key: self._member(key, member, name) for key, member in everything.items()}
        self.shapes[name] = shape
        return shape

    def _forms(self, own: Members, forms: list[Any], name: str, said: list[str]) -> Shape:
        tag = tag_of(forms)
        assert tag is not None
        differ = {key for form in forms for key in form.members}
        common = {key: member for key, member in own.items() if key not in differ}
        base = None
        if common:
            base = f"_{name}"
            self._class(base, common, [], name)
        names = []
        for form in forms:
            said_of_tag = as_object(form.members[tag].schema)
            words = said_of_tag["enum"] if "enum" in said_of_tag else [said_of_tag["const"]]
            called = name + "Or".join(pascal(word) for word in words)
            special = {key: one for key, one in narrowed(own, form).items() if key in differ}
            self._class(called, special, form.remarks or said, name, base)
            names.append(called)
        return Shape(union(names), {})

    def _member(self, key: str, member: Member, name: str) -> str:
        called = name.removesuffix("Params") + pascal(key)
        return self._short(self.expression(member.schema, called), called)

    def _short(self, expression: str, called: str) -> str:
        """What may be one of several things, or many words, is named after its place."""
        several = sum(part.startswith(called) for part in _split(expression)) > 1
        if not several and (len(expression) <= 80 or not expression.startswith("Literal[")):
            return expression
        self._aliases[called] = (expression, [])
        return called

    def _class(self, name: str, all: Members, said: list[str], owner: str, base: str | None = None) -> None:
        fields = {}
        for key, member in all.items():
            written = self._member(key, member, owner)
            fields[key] = written if member.required else f"NotRequired[{written}]"
        if any(keyword.iskeyword(key) or not key.isidentifier() for key in all):
            if base is not None:
                raise ValueError(f"{name} has a member that is no name, and what it has in common with others")
            lines = "".join(
                "".join(f"        # {line}\n" for line in _comment(remarks(all[key].schema)))
                + f"        {_word(key)}: {_word(written)},\n"
                for key, written in fields.items()
            )
            text = f'{name} = TypedDict(\n    "{name}",\n    {{\n{lines}    }},\n)\n{docstring(said, "")}'
        else:
            final = "" if name.startswith("_") else "@final\n"
            body = "".join(
                f"    {key}: {written}\n{docstring(remarks(all[key].schema), '    ')}"
                for key, written in fields.items()
            )
            head = docstring(said, "    ")
            gap = "\n" if head and body else ""
            body = head + gap + body or "    pass\n"
            text = f"{final}class {name}({base or 'TypedDict'}):\n{body}"
        known = self._classes.setdefault(name, text)
        if known != text:
            raise ValueError(f"two different types would be called {name}")


def _broken(name: str, expression: str) -> str:
    if len(name) + len(expression) + 14 <= WIDTH:
        return expression
    if expression.startswith("Literal[") and len(_split(expression)) == 1:
        words = expression[len("Literal[") : -1].split(", ")
        return "Literal[\n" + "".join(f"    {word},\n" for word in words) + "]"
    return "(\n    " + "\n    | ".join(_split(expression)) + "\n)"


def _comment(lines: list[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, WIDTH - 10)]


def _word(value: object) -> str:
    """A value as it stands in a program."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)
