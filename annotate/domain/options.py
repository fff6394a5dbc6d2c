"""What a user may choose for a job."""

from typing import Literal, TypeAlias

# Who is looked for: people whom the detector sees in the whole picture, or small ones too.
People: TypeAlias = Literal["near", "all"]
