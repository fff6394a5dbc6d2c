"""The name under which package indexes know this program.

`annotate` there is another project: installing that would replace this program. So every hint
takes its `pip` command from here.
"""

DISTRIBUTION = "annotate-video"


def install_command(extra: str) -> str:
    """The shell command that installs the optional dependencies `extra` of `pyproject.toml`.

    The double quotes suit sh, PowerShell and cmd.exe.
    """
    return f'pip install "{DISTRIBUTION}[{extra}]"'
