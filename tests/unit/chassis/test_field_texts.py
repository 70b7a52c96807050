"""What pydantic refuses, as sentences that people can act upon."""

from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError

from services.chassis.field_texts import field_error

Title = Annotated[str, AfterValidator(str.strip), StringConstraints(min_length=3, max_length=8)]


class Form(BaseModel):
    title: Title = "long"
    circles: list[int] = Field(default=[], min_length=1, max_length=2)
    quantity: int = 1
    is_open: bool = True


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"title": "ab"}, "Trop court : au moins 3 caractère(s)."),
        ({"title": "far too long"}, "Trop long : 8 caractères au plus."),
        ({"title": None}, "Un texte, s'il vous plaît."),
        ({"circles": []}, "Pas assez d'éléments : au moins 1."),
        ({"circles": [1, 2, 3]}, "Trop d'éléments : 2 au plus."),
        ({"quantity": 1.5}, "Un nombre entier, s'il vous plaît."),
        ({"quantity": None}, "Un nombre entier, s'il vous plaît."),
    ],
)
def test_a_sentence_says_what_to_do(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Form.model_validate(given)
    [error] = refused.value.errors()
    said = field_error({**error}).say("fr")
    assert said["detail"] == sentence
