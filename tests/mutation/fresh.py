"""Try a mutant in a process that has imported nothing of the library yet: `python -m tests.mutation.fresh JOB`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.mutation.trial import Job, Trial, afresh

if __name__ == "__main__":
    job = Job(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.exit(afresh(job.module, Path(job.path), job.mutated, Trial(job.seconds, Path(job.notes))))
