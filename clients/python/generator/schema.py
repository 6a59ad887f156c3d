"""The part of JSON Schema in which the contract is written, and what objects have in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

Schema = Union[bool, Mapping[str, Any]]
Schemas = Mapping[str, Schema]


@dataclass(frozen=True)
class Member:
    """What an object has under one name."""

    schema: Schema
    required: bool


Members = dict[str, Member]


@dataclass
class Form:
    """One of the forms that an object may have."""

    members: Members
    remarks: list[str] = field(default_factory=list)


def referred(reference: str) -> str:
    """The last part of a reference, which is the name of what it refers to."""
    return reference.rsplit("/", 1)[1]


def as_object(schema: Schema | None) -> Mapping[str, Any]:
    return schema if isinstance(schema, Mapping) else {}


def remarks(schema: Schema) -> list[str]:
    """What is said of a schema: what it is, how large, and what it is when it is absent."""
    said = as_object(schema)
    lines = [said["description"]] if "description" in said else []
    # What every client knows of integers that stand for times and sizes is not worth a line.
    if said.get("minimum", 0) != 0 and "maximum" in said:
        lines.append(f"From {said['minimum']} to {said['maximum']}.")
    if "default" in said:
        lines.append(f"Default: {said['default']!r}.")
    return lines


def types_of(schema: Mapping[str, Any]) -> list[str]:
    named = schema.get("type", [])
    return [named] if isinstance(named, str) else list(named)


def is_object(schema: Schema) -> bool:
    types = types_of(as_object(schema))
    return "object" in types and set(types) <= {"object", "null"}


def members(schema: Mapping[str, Any]) -> Members:
    required = list(schema.get("required", ()))
    found = {name: Member(said, name in required) for name, said in schema.get("properties", {}).items()}
    return found | {name: Member(True, True) for name in required if name not in found}


def values_of(schema: Schema, schemas: Schemas) -> list[Any]:
    """The closed list of values that a schema allows."""
    said = as_object(schema)
    if "$ref" in said:
        return values_of(schemas[referred(said["$ref"])], schemas)
    if said.get("type") == "boolean":
        return [False, True]
    if "const" in said:
        return [said["const"]]
    if "enum" in said:
        return list(said["enum"])
    variants = said.get("oneOf") or said.get("anyOf")
    if variants is None:
        raise ValueError(f"no closed list of values: {said}")
    return [value for variant in variants for value in values_of(variant, schemas)]


def choices_of(schema: Mapping[str, Any], schemas: Schemas) -> list[list[Form]]:
    """All ways in which the forms of an object differ, each with its forms."""
    parts = [schema, *(part for part in schema.get("allOf", ()) if isinstance(part, Mapping))]
    choices = []
    for part in parts:
        variants = part.get("oneOf") or part.get("anyOf")
        if variants is not None:
            choices.append(_forms_of([as_object(variant) for variant in variants]))
    conditions = [part for part in parts if "if" in part]
    if conditions:
        choices.append(_conditional(schema, conditions, schemas))
    return choices


def _forms_of(variants: list[Mapping[str, Any]]) -> list[Form]:
    forms = [Form(members(variant), remarks(variant)) for variant in variants]
    # Where forms differ only in what they require, a thing has what one of them requires and nothing of the others.
    if all("properties" not in variant for variant in variants):
        for form in forms:
            for name in _names(forms):
                form.members.setdefault(name, Member(False, False))
    return forms


def _conditional(schema: Mapping[str, Any], conditions: list[Mapping[str, Any]], schemas: Schemas) -> list[Form]:
    """Forms that follow from the value of one member: one for each set of values with the same consequences."""
    names = {name: None for condition in conditions for name in as_object(condition["if"]).get("properties", {})}
    if len(names) != 1:
        raise ValueError(f"conditions on one member only can be written, not on {list(names)}")
    [name] = names
    found: list[tuple[list[Mapping[str, Any]], list[Any]]] = []
    for value in values_of(schema["properties"][name], schemas):
        consequences = []
        for condition in conditions:
            met = value in values_of(condition["if"]["properties"][name], schemas)
            consequence = condition.get("then" if met else "else")
            if consequence is not None:
                consequences.append(as_object(consequence))
        for known, values in found:
            if known == consequences:
                values.append(value)
                break
        else:
            found.append((consequences, [value]))
    return [_consequence(schema, name, values, consequences) for consequences, values in found]


def _consequence(
    schema: Mapping[str, Any], name: str, values: list[Any], consequences: Iterable[Mapping[str, Any]]
) -> Form:
    consequences = list(consequences)
    required = {*schema.get("required", ()), *(name for part in consequences for name in part.get("required", ()))}
    said: dict[str, Schema] = {name: {"enum": values}}
    for part in consequences:
        said.update({member: True for member in part.get("required", ())})
        said.update({member: False for member in as_object(part.get("not")).get("required", ())})
        said.update(part.get("properties", {}))
    return Form({name: Member(one, one is not False and name in required) for name, one in said.items()})


def _names(forms: Iterable[Form]) -> list[str]:
    return list(dict.fromkeys(name for form in forms for name in form.members))


def tag_of(forms: list[Form]) -> str | None:
    """The member whose words tell the forms apart, which is what type checkers narrow by."""
    for name in _names(forms):
        said = [as_object(form.members[name].schema) for form in forms if name in form.members]
        words = [word for one in said for word in (one["enum"] if "enum" in one else [one.get("const")])]
        if len(said) == len(forms) and all(isinstance(word, str) for word in words):
            return name
    return None


def merged(own: Members, forms: list[Form]) -> Members:
    """What an object of any of these forms may have."""
    result = dict(own)
    for name in _names(forms):
        said = [form.members.get(name) for form in forms]
        mine = own.get(name)
        always = all(one is not None and one.schema is not False and one.required for one in said)
        denied = any(one is not None and one.schema is False for one in said)
        required = always or (mine is not None and mine.required and not denied)
        if mine is not None and mine.schema is not True:
            result[name] = Member(mine.schema, required)
        else:
            variants = [one.schema for one in said if one is not None and one.schema is not False]
            result[name] = Member(variants[0] if len(variants) == 1 else {"anyOf": variants}, required)
    return result


def narrowed(own: Members, form: Form) -> Members:
    """What an object of this form has; what the form does not say anew is taken from the object."""
    result = dict(own)
    for name, member in form.members.items():
        mine = own.get(name)
        if member.schema is False:
            result.pop(name, None)
        elif mine is None:
            result[name] = member
        else:
            result[name] = Member(_narrower(member.schema, mine.schema), mine.required or member.required)
    return result


def _narrower(said: Schema, own: Schema) -> Schema:
    if said is True:
        return own
    if as_object(as_object(said).get("not")).get("type") == "null":
        return _without_null(own)
    description = as_object(own).get("description")
    if description is None or "description" in as_object(said):
        return said
    return {**as_object(said), "description": description}


def _without_null(schema: Schema) -> Schema:
    said = dict(as_object(schema))
    if "anyOf" in said:
        left = [variant for variant in said.pop("anyOf") if as_object(variant).get("type") != "null"]
        return {**left[0], **said} if len(left) == 1 else {**said, "anyOf": left}
    if "type" in said:
        return {**said, "type": [name for name in types_of(said) if name != "null"]}
    return schema
