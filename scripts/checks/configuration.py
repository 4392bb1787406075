"""Which keys the services know. One that they do not know is refused at start, so whoever sets it has to be told before."""

import pathlib
import tomllib

DEFAULTS = pathlib.Path(__file__).resolve().parent.parent.parent / "crates/service/default.toml"


def keys(table):
    """The keys of a parsed configuration, with their sections: `broker.url`."""
    for name, value in table.items():
        if isinstance(value, dict) and not value.keys() & {"env", "file"}:
            yield from (f"{name}.{key}" for key in keys(value))
        else:
            yield name


KNOWN = set(keys(tomllib.loads(DEFAULTS.read_text())))


def unknown_keys(text):
    """What an orgbridge.toml sets and no service knows."""
    return [key for key in keys(tomllib.loads(text)) if key not in KNOWN]


def unknown_variables(names):
    """Environment variables that set what no service knows."""
    ours = [name for name in names if name.startswith("ORGBRIDGE__")]
    return [name for name in ours if name.removeprefix("ORGBRIDGE__").lower().replace("__", ".") not in KNOWN]
