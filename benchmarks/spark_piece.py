"""What a build on Spark pays for each piece and for each file of the lake: prints one JSON object.

python -m benchmarks.spark_piece WORKSPACE
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from percorso.engines.exchange import encode_table
from percorso.identity.spread.rows import ROW_SCHEMA
from percorso.identity.spread.scan import lake_parts
from percorso.journeys.spread.build import PART_ROWS
from percorso.services.workspace import open_workspace
from percorso.store.lake import Lake

#: A listing is short: it is repeated so often.
_TIMES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    files = Lake(open_workspace(parser.parse_args().workspace).lake).live_files()
    began = time.perf_counter()
    for _ in range(_TIMES):
        lake_parts(files, PART_ROWS)
    found = {
        "empty_bytes": len(encode_table(ROW_SCHEMA.empty_table())),
        "part_rows": PART_ROWS,
        "lake_files": len(files),
        "list_s_a_file": (time.perf_counter() - began) / _TIMES / len(files),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
