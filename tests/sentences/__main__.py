"""`python -m tests.sentences [FILE]`: writes the sheet of all sentences into the file, else to standard output."""

import asyncio
import sys
from pathlib import Path

from tests.meta.command_tree import command_tree
from tests.sentences.sheet import sheet

written = sheet(asyncio.run(command_tree()))
if len(sys.argv) > 1:
    Path(sys.argv[1]).write_text(written, encoding="utf-8")
else:
    sys.stdout.write(written)
