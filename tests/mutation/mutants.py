"""
The mutants of a module: its source, broken in one place each, by the operators of mutmut.

Only they are mutmut's. What runs it by itself leaves out decorated functions (every property), constants and the
defaults of dataclasses; here these are broken too.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

FOR_TYPES = {"Literal", "TypeVar", "cast", "Generic"}
"""What only mypy reads: no test can tell one from another."""


@dataclass(frozen=True)
class Mutant:
    """One broken place. where: `module.Class.function`. change: the lines as they were (`- …`) and are (`+ …`)."""

    where: str
    change: str
    source: str

    def __str__(self) -> str:
        return f"{self.where}\n{self.change}"


class _Places(MutationVisitor):
    """mutmut's own, but that the inside of decorated functions counts too, and what is only a type does not."""

    METADATA_DEPENDENCIES = (*MutationVisitor.METADATA_DEPENDENCIES, ParentNodeProvider)

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return False
        of_alias = node.value if isinstance(node, cst.Assign) else node
        named = of_alias.value if isinstance(of_alias, cst.Subscript) else getattr(node, "func", None)
        if isinstance(named, cst.Name) and named.value in FOR_TYPES:
            return True
        return super()._skip_node_and_children(node)


def mutants_of(module: str, source: str) -> list[Mutant]:
    """All mutants of a module's source, in the order of the source, each once."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    places = _Places(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(places)
    parents = wrapper.resolve(ParentNodeProvider)
    found = {}
    for mutation in places.mutations:
        broken = wrapper.module.deep_replace(mutation.original_node, mutation.mutated_node).code
        where = ".".join([module, *_names(mutation.original_node, parents)])
        found[broken] = Mutant(where, _change(source, broken), broken)
    return list(found.values())


def source_of(module: str) -> tuple[Path, str]:
    path = Path("poeticoins") / f"{module}.py"
    return path, path.read_text()


def _names(node: cst.CSTNode, parents: "dict[cst.CSTNode, cst.CSTNode]") -> list[str]:
    """The classes and functions around a node, outermost first."""
    around: list[str] = []
    while node in parents:
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            around.insert(0, node.name.value)
        node = parents[node]
    return around


def _change(before: str, after: str) -> str:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return "\n".join(f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-")
