"""The base of every value that crosses a border: frozen, strict about unknown keys, JSON in and out."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.model.errors import BadInputError


class Model(BaseModel):
    """A frozen value. Unknown keys are refused, so that a misspelt key is an error and not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def explain_validation(error: ValidationError, where: str) -> BadInputError:
    """Turn pydantic's report into one sentence a person can act on.

    ``where`` names the file, form or command. Only the first fault is told in the sentence;
    the others follow in the mend, since mending one often mends the rest.
    """
    faults = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'the whole'}: {fault['msg']}" for fault in error.errors()
    ]
    return BadInputError(f"{where}: {faults[0]}.", " ".join(f"Also {fault}." for fault in faults[1:]))
