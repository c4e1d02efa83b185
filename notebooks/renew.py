"""
Runs the notebooks beside this file top to bottom and writes them back, with outputs that are small and stay readable.

`python notebooks/renew.py`, from anywhere. What only a browser could draw is left out: it is megabytes of JavaScript,
which a notebook that was not run by its reader must not be trusted with, and comes anew with every run.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

HERE = Path(__file__).parent
KEPT = ("text/plain", "text/html")
LARGEST = 10_000
"""Characters of one output that is kept."""
LIMIT_S = 60


class OwnKernel(AsyncKernelManager):
    """The interpreter that runs this file, whatever kernels are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def execute(file: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in an empty directory; no process of it is left afterwards."""
    notebook = nbformat.read(file, as_version=4)
    with tempfile.TemporaryDirectory() as directory:
        NotebookClient(
            notebook,
            timeout=LIMIT_S,
            kernel_manager_class=OwnKernel,
            resources={"metadata": {"path": directory}},
        ).execute(env=os.environ | {"PYTHONPATH": str(HERE.parent)})  # these sources, not an installed wheel
    return notebook


def strip(notebook: nbformat.NotebookNode) -> None:
    """Leaves tables and words, and nothing that tells one run from another: times of execution, ids, scripts."""
    notebook.metadata = {"language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_small(output)]
            for output in cell.outputs:
                output.pop("metadata", None)
                if "data" in output:
                    output.metadata = {}


def _is_small(output: nbformat.NotebookNode) -> bool:
    if output.output_type == "stream":
        return output.name == "stdout"
    if output.output_type == "error":
        return True
    found = {kind: text for kind, text in output.data.items() if kind in KEPT}
    scripted = "<script" in found.get("text/html", "")
    if scripted or any("bokeh" in kind or "javascript" in kind for kind in output.data):
        found.pop("text/html", None)
    output.data = {kind: text for kind, text in found.items() if len(text) <= LARGEST}
    return bool(output.data)


if __name__ == "__main__":
    for file in sorted(HERE.glob("*.ipynb")):
        renewed = execute(file)
        strip(renewed)
        nbformat.write(renewed, file)
        print(file.name, f"{file.stat().st_size / 1024:.0f} KB")
