"""The generated files are those that the contract gives."""

from __future__ import annotations

import typing
import unittest
from typing import Any

from generator.__main__ import generated
from generator.types import TypeWriter
from sexton_client import protocol


def written(schema: Any, schemas: Any = None) -> str:
    """The declarations that a schema leads to, on one line."""
    writer = TypeWriter(schemas or {})
    for name, one in (schemas or {}).items():
        writer.declare(name, one)
    writer.declare("Thing", schema)
    return " ".join(writer.text().split())


class Generated(unittest.TestCase):
    def test_what_follows_from_the_contract_is_fresh(self) -> None:
        files = generated()
        self.assertEqual(len(files), 3)
        for place, text in files.items():
            fresh = place.read_text(encoding="utf-8") == text
            self.assertTrue(fresh, f"{place.name} is stale: run `python3 -m generator --write`")

    def test_every_type_can_be_read_at_run_time(self) -> None:
        types = [value for value in vars(protocol).values() if typing.is_typeddict(value)]
        self.assertGreater(len(types), 150)
        for one in types:
            typing.get_type_hints(one)
        self.assertIn("running", typing.get_args(protocol.State))

    def test_an_object_with_forms_is_a_union_that_its_word_tells_apart(self) -> None:
        schema = {
            "type": "object",
            "properties": {"kind": {"enum": ["a", "b"]}, "at": {"type": "integer"}, "title": {"type": "string"}},
            "required": ["kind", "title"],
            "oneOf": [
                {"properties": {"kind": {"const": "a"}}, "required": ["at"]},
                {"properties": {"kind": {"const": "b"}, "at": False}},
            ],
        }
        self.assertEqual(
            written(schema),
            "class _Thing(TypedDict): title: str "
            '@final class ThingA(_Thing): kind: Literal["a"] at: int '
            '@final class ThingB(_Thing): kind: Literal["b"] '
            "Thing: TypeAlias = ThingA | ThingB",
        )

    def test_conditions_become_one_form_for_each_set_of_values_with_the_same_consequences(self) -> None:
        schema = {
            "type": "object",
            "properties": {"state": {"$ref": "#/State"}, "end": {"type": ["integer", "null"]}},
            "required": ["state", "end"],
            "allOf": [
                {
                    "if": {"properties": {"state": {"enum": ["over"]}}},
                    "then": {"properties": {"end": {"not": {"type": "null"}}}},
                    "else": {"properties": {"end": {"type": "null"}}},
                }
            ],
        }
        state = {"oneOf": [{"enum": ["early", "late"]}, {"const": "over"}]}
        self.assertEqual(
            written(schema, {"State": state}),
            'State: TypeAlias = Literal["early", "late", "over"] '
            '@final class ThingEarlyOrLate(TypedDict): state: Literal["early", "late"] end: None '
            '@final class ThingOver(TypedDict): state: Literal["over"] end: int '
            "Thing: TypeAlias = ThingEarlyOrLate | ThingOver",
        )

    def test_what_no_word_tells_apart_is_one_type_with_what_may_be_absent(self) -> None:
        schema = {
            "type": "object",
            "properties": {"from": {"type": "string"}, "text": {"type": "string"}},
            "required": ["from"],
            "oneOf": [{"required": ["text"]}, {"properties": {"list": {"type": "array"}}, "required": ["list"]}],
        }
        self.assertEqual(
            written(schema),
            'Thing = TypedDict( "Thing", { "from": "str", "text": "NotRequired[str]", '
            '"list": "NotRequired[list[Any]]", }, )',
        )

    def test_what_the_generator_does_not_know_is_an_error_and_no_guess(self) -> None:
        with self.assertRaisesRegex(ValueError, "decimal"):
            written({"type": "decimal"})
        with self.assertRaisesRegex(ValueError, "no word of its own"):
            objects = [{"type": "object", "properties": {name: {"type": "string"}}} for name in "ab"]
            written({"oneOf": objects})
