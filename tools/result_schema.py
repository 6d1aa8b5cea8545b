"""Write the JSON schemas of what others read to ``docs/schema/``; with ``--check`` compare them.

``uv run python tools/result_schema.py [--check]``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from facelight.result import ResultRecord

FOLDER: Final = Path(__file__).parent.parent / "docs" / "schema"
SCHEMAS: Final[dict[str, type[BaseModel]]] = {"result.json": ResultRecord}


def text_of(model: type[BaseModel]) -> str:
    """Return the schema as it stands in the file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(schema | model.model_json_schema(), indent=1) + "\n"


def main() -> int:
    """Write or compare every schema; return the exit code."""
    stale = []
    for name, model in SCHEMAS.items():
        path, text = FOLDER / name, text_of(model)
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        print(f"docs/schema: stale: {', '.join(stale)}; run: python tools/result_schema.py")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
