"""Writes the contract: its types, and the methods with what they take and give."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .schema import as_object, referred, remarks
from .types import WIDTH, Shape, TypeWriter, docstring, pascal

HEAD = '''"""{what}

Generated from schema/openrpc.json by `python3 -m generator --write`. Do not edit.
"""

from __future__ import annotations

'''

# What groups of methods are called on a client, where that is not the word that the methods begin with.
GROUPS = {"automation": "automations", "provider": "providers", "run": "runs"}

# The session begins and ends with these, so a client keeps them to itself.
SESSION = ("initialize", "shutdown")

# What takes back what another method of the same group gives.
OPENINGS = {"unsubscribe": "subscribe", "unserve": "serve", "release": "hold"}

# Whole messages are the business of the connection; only what they carry has types.
MESSAGES = ("Request", "Notification")


def write(contract: Mapping[str, Any]) -> dict[str, str]:
    """The files of the client that follow from the contract, by name."""
    schemas = contract["components"]["schemas"]
    writer = TypeWriter(schemas)
    for name, schema in schemas.items():
        if not (name.endswith(MESSAGES) or name.startswith("Refused") or name in ("Answer", "Id", "Message")):
            writer.declare(name, schema)
    for kind, error in contract["components"]["errors"].items():
        writer.declare(f"Refused{pascal(kind)}", error["data"])
    asked = [_method(method, writer) for method in _asked(contract)]
    return {
        "protocol.py": _protocol(contract, writer),
        "_methods.py": _methods(asked, AWAITED),
        "_blocking_methods.py": _methods(asked, BLOCKING),
    }


def _asked(contract: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The methods that are asked by name; the client itself keeps the session and all subscriptions."""
    kept = set(SESSION)
    for method in contract["methods"]:
        params = as_object(contract["components"]["schemas"][referred(method["x-params"]["$ref"])])
        if "subscription" in params.get("properties", {}):
            group, ending = method["name"].split("/")
            if ending not in OPENINGS:
                raise ValueError(f"{method['name']} takes back what no known method gives")
            kept |= {method["name"], f"{group}/{OPENINGS[ending]}"}
    return [method for method in contract["methods"] if method["name"] not in kept]


def _protocol(contract: Mapping[str, Any], writer: TypeWriter) -> str:
    errors = contract["components"]["errors"]
    codes = "".join(f'    "{kind}": {error["code"]},\n' for kind, error in errors.items())
    kinds = "".join(f'    "{kind}",\n' for kind in errors)
    return "".join(
        [
            HEAD.format(what="The types of the contract, in the words that stand in the messages."),
            "import sys\n",
            "from typing import TYPE_CHECKING, Any, Literal, TypedDict, final\n\n",
            "if TYPE_CHECKING:\n    from typing_extensions import NotRequired, TypeAlias\n",
            "elif sys.version_info >= (3, 11):\n    from typing import NotRequired\n",
            "else:\n",
            "    class NotRequired:\n",
            '        """Stands for that of later versions, for whoever reads the types at run time."""\n\n',
            "        def __class_getitem__(cls, kind):\n            return kind\n\n\n",
            writer.text(),
            f"\nRefusalKind: TypeAlias = Literal[\n{kinds}]\n",
            docstring(["The kinds of refusals that the contract names."], ""),
            f"\nrefusal_codes: dict[str, int] = {{\n{codes}}}\n",
            docstring(["The codes of refusals, by their kind."], ""),
        ]
    )


@dataclass(frozen=True)
class Param:
    """An argument of a method."""

    key: str
    name: str
    type: str
    required: bool
    remarks: list[str]


@dataclass(frozen=True)
class Method:
    name: str
    summary: str
    params: list[Param]
    takes: str
    gives: str


def _method(method: Mapping[str, Any], writer: TypeWriter) -> Method:
    takes = referred(method["x-params"]["$ref"])
    shape = writer.shapes.get(takes, Shape(takes, {}))
    params = []
    for key, member in shape.members.items():
        if "None" in shape.types[key].split(" | "):
            raise ValueError(f"{takes}.{key} may be null, and an argument that is None is one that is absent")
        name = f"{key}_" if keyword.iskeyword(key) else key
        params.append(Param(key, name, shape.types[key], member.required, remarks(member.schema)))
    params.sort(key=lambda param: (param.key != "id", not param.required))
    gives = referred(method["result"]["schema"]["$ref"])
    return Method(method["name"], method["summary"], params, takes, gives)


@dataclass(frozen=True)
class Face:
    """How a client is asked."""

    what: str
    prefix: str
    before: str
    wait: str


AWAITED = Face("The methods by name, for `SextonClient`.", "", "async ", "await ")
BLOCKING = Face("The methods by name, for `Sexton`: each returns when it is answered.", "Blocking", "", "")


def _methods(methods: list[Method], face: Face) -> str:
    groups: dict[str, list[Method]] = {}
    for method in methods:
        if "/" in method.name:
            group = method.name.split("/")[0]
            groups.setdefault(GROUPS.get(group, group), []).append(method)
    classes = [_group(group, named, face) for group, named in groups.items()]
    fields = "".join(
        f"        self.{group} = {_class_name(group, face)}(self)\n"
        f'        """`{named[0].name.split("/")[0]}/…`"""\n'
        for group, named in groups.items()
    )
    overloads = "".join(
        f"    @overload\n    {face.before}def request(\n"
        f'        self, method: Literal["{method.name}"], params: protocol.{method.takes}{_absent(method)}\n'
        f"    ) -> protocol.{method.gives}: ...\n"
        for method in methods
    )
    return "".join(
        [
            HEAD.format(what=face.what),
            "from abc import ABC, abstractmethod\n",
            "from collections.abc import Mapping\n",
            "from typing import Any, List, Literal, overload\n\n",
            "from . import protocol\n",
            "\n\ndef _given(members: dict[str, Any]) -> Any:\n",
            '    """What was said; the contract has no null here, so None is what was left out."""\n',
            "    return {name: value for name, value in members.items() if value is not None}\n",
            *classes,
            f"\n\nclass {face.prefix}Methods(ABC):\n",
            '    """The methods, group by group, and `request` for all of them."""\n\n',
            f"    def __init__(self) -> None:\n{fields}\n",
            overloads,
            f"    {face.before}def request(self, method: str, params: Any = None) -> Any:\n",
            docstring(["Asks something of the sidecar; while it is started again, waits for it."], " " * 8),
            f"        return {face.wait}self._asked(method, {{}} if params is None else params)\n\n",
            "    @abstractmethod\n",
            f"    {face.before}def _asked(self, method: str, params: Mapping[str, Any]) -> Any: ...\n",
        ]
    )


def _absent(method: Method) -> str:
    return "" if any(param.required for param in method.params) else " | None = None"


def _class_name(group: str, face: Face) -> str:
    return f"{face.prefix}{pascal(group)}"


def _group(group: str, methods: list[Method], face: Face) -> str:
    written = "\n".join(_named(method, face) for method in methods)
    return (
        f"\n\nclass {_class_name(group, face)}:\n"
        f'    """`{methods[0].name.split("/")[0]}/…`"""\n\n'
        f"    def __init__(self, client: {face.prefix}Methods) -> None:\n"
        f"        self._client = client\n\n{written}"
    )


def _named(method: Method, face: Face) -> str:
    signature = ["self"]
    for at, param in enumerate(method.params):
        if at == 0 and param.key != "id" or at == 1 and method.params[0].key == "id":
            signature.append("*")
        written = _qualified(param.type)
        signature.append(f"{param.name}: {written}" if param.required else f"{param.name}: {written} | None = None")
    head = f"    {face.before}def {method.name.split('/')[1]}("
    tail = f") -> protocol.{method.gives}:\n"
    line = f"{head}{', '.join(signature)}{tail}"
    if len(line) > WIDTH:
        line = f"{head}\n{''.join(f'        {part},{chr(10)}' for part in signature)}    {tail}"
    about = [f"{param.name}: {' '.join(' '.join(param.remarks).split())}" for param in method.params if param.remarks]
    said = docstring([method.summary, *([""] if about else []), *about], " " * 8)
    members = ", ".join(f'"{param.key}": {param.name}' for param in method.params)
    params = f"_given({{{members}}})" if method.params else "{}"
    ask = f'        return {face.wait}self._client.request("{method.name}", {params})\n'
    if len(ask) > WIDTH:
        lines = "".join(f'            "{param.key}": {param.name},\n' for param in method.params)
        ask = (
            f"        params = {{\n{lines}        }}\n"
            f'        return {face.wait}self._client.request("{method.name}", _given(params))\n'
        )
    return line + said + ask


def _qualified(expression: str) -> str:
    """A type as it is called from another module, where a method may be called `list`."""
    known = {"int", "float", "str", "bool", "None", "dict", "Any", "Literal"}

    def called(found: re.Match[str]) -> str:
        name = found[0]
        if name == "list":
            return "List"
        return name if name in known or name.startswith('"') else f"protocol.{name}"

    return re.sub(r'"[^"]*"|[A-Za-z_]\w*', called, expression)
