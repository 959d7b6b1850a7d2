"""A YAML file read into a pydantic model; a mistake in it is one line that names file, field and cure."""

from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError

from rca.errors import InputError, hint

Model = TypeVar("Model", bound=BaseModel)
Names = Annotated[  # one or several, each once
    tuple[str, ...],
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
    AfterValidator(lambda names: tuple(dict.fromkeys(names))),
]


class _Loader(yaml.SafeLoader):
    """YAML lets the second of two equal keys win in silence; here it is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                raise yaml.MarkedYAMLError(problem=f"{key!r} is given twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """The file as a `model`; InputError with `file: field: what is wrong` for the first mistake in it."""
    data = read_fields(path, model)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{path}: {_first(error, model)}") from error


def read_fields(path: Path, model: type[BaseModel]) -> dict[Any, Any]:
    """The fields in the file, not checked yet."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise InputError(f"{path}: not valid YAML{line}: {error.problem}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise InputError(f"{path}: not a file in YAML: {str(error).splitlines()[0]}.") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: holds no fields. Known: {', '.join(_fields(model))}.")
    return data


def _first(error: ValidationError, model: type[BaseModel]) -> str:
    """The first mistake in words: `time.colum: unknown field. Did you mean 'column'?`

    A misspelt field comes before the field that is missing because of it.
    """
    first = min(error.errors(), key=lambda mistake: mistake["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in first["loc"])
    count = error.error_count() - 1
    more = f" (and {count} more {'mistake' if count == 1 else 'mistakes'})" if count else ""
    if first["type"] == "extra_forbidden":
        text = f"unknown field. {hint(first['loc'][-1], _fields(_inner(model, first['loc'][:-1])))}"
    elif first["type"] == "missing":
        text = "is missing."
    else:
        text = f"{first['msg'].removeprefix('Value error, ').rstrip('.')}, got {first['input']!r}."
        if first["type"] == "value_error":  # our own sentence says what was given
            text = f"{first['msg'].removeprefix('Value error, ')}"
    return f"{place}: {text}{more}" if place else f"{text}{more}"


def _fields(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _inner(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    """The model that holds the field at `place`, for its field names."""
    for part in place:
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                found = _models(field.annotation)
                model = found[0] if found else model
    return model


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models named anywhere in a type such as `dict[str, Metric] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]
