"""The user's files for the image (image.files): what is included, skipped with a note, or rejected."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.errors import UsageError
from provision.image import inputs, own
from provision.image.code import files

PEM = b"-----BEGIN %sPRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the user's folder beside stack.yaml; a home folder with keys lies elsewhere."""
    (tmp_path / "home/.ssh").mkdir(parents=True)
    (tmp_path / "home/.ssh/id_rsa").write_bytes(PEM % b"OPENSSH ")
    (tmp_path / "home/.aws").mkdir()
    (tmp_path / "home/.aws/credentials").write_text("[default]\n")
    (tmp_path / "home/notes.txt").write_text("mine")
    folder = tmp_path / "stack/own"
    (folder / "bot").mkdir(parents=True)
    (folder / "bot/phrases.py").write_text("HELP = ''\n")
    return folder


def rejection(folder: Path, name: str = "own") -> str:
    """Return why the folder is rejected."""
    with pytest.raises(UsageError) as refused:
        inputs.read_inputs("", "linux/amd64", folder.parent, name)
    return refused.value.why


def test_files_and_links_inside_the_folder_are_included(folder: Path) -> None:
    """Files in all folders and links within the folder; hidden files and caches are skipped and listed."""
    (folder / "link.py").symlink_to("bot/phrases.py")
    for hidden in (".env", ".git/config", "bot/__pycache__/phrases.pyc"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_text("secret")
    found = own.read(folder, folder.parent)
    phrases = b"HELP = ''\n"
    assert {"bot/phrases.py": phrases, "link.py": phrases} == found.files
    assert [".env", ".git", "bot/__pycache__"] == found.left_out
    made = inputs.read_inputs("", "linux/amd64", folder.parent, "own")
    assert ("bot/phrases.py", "link.py") == made.own
    assert phrases == made.files["bot/phrases.py"]
    assert b"secret" not in made.files.values()


def link(target: str, name: str = "readme.txt") -> Callable[[Path], None]:
    """Return a function that creates a link in the folder."""
    return lambda folder: (folder / name).symlink_to(target)


def file_with(name: str, content: bytes) -> Callable[[Path], None]:
    """Return a function that creates a file in the folder."""

    def write(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return write


def link_to_hidden_file(folder: Path) -> None:
    (folder / ".env").write_text("A=1")
    (folder / "readme.txt").symlink_to(".env")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def unix_socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path is short
        made.bind("talk")
        os.chdir(here)


KEY = ": it contains a private key or cloud credentials"
NAMED = ": files of that name usually contain keys or passwords"
IRREGULAR = ": this is not a regular file or a link to one"
REJECTED: list[tuple[Callable[[Path], None], str]] = [
    (link("../../home/.ssh/id_rsa"), "readme.txt: this link points outside the folder, to "),
    (link("../../home/notes.txt"), "readme.txt: this link points outside the folder, to "),
    (link("../../home", "more"), "more: this link points outside the folder, to "),
    (link("/etc/hostname"), "readme.txt: this link points outside the folder, to /etc/hostname"),
    (link("bot", "more"), "more" + IRREGULAR),
    (link_to_hidden_file, "readme.txt: this link points to "),
    (link("nowhere"), "nowhere: No such file or directory"),
    (link("loop", "loop"), "loop"),
    (pipe, "pipe" + IRREGULAR),
    (unix_socket, "talk" + IRREGULAR),
    (file_with("keys/id_rsa", b"x"), "keys/id_rsa" + NAMED),
    (file_with("id_ed25519", b"x"), "id_ed25519" + NAMED),
    (file_with("aws/credentials", b"x"), "aws/credentials" + NAMED),
    (file_with("prod.env", b"A=1"), "prod.env" + NAMED),
    (file_with("netrc", b"x"), "netrc" + NAMED),
    (file_with("kubeconfig", b"x"), "kubeconfig" + NAMED),
    (file_with("client.p12", b"x"), "client.p12" + NAMED),
    (file_with("application_default_credentials.json", b"{}"), "application_default_credentials"),
    (file_with("tls.key", PEM % b""), "tls.key" + KEY),
    (file_with("tls.key", b"\x30\x82\x01"), "tls.key" + KEY),
    (file_with("tls.pem", b"# mine\n" + PEM % b"RSA "), "tls.pem" + KEY),
    (file_with("readme.txt", PEM % b"OPENSSH "), "readme.txt" + KEY),
    (file_with("readme.txt", PEM % b"ENCRYPTED "), "readme.txt" + KEY),
    (file_with("readme.txt", (PEM % b"").decode().encode("utf-16")), "readme.txt" + KEY),
    (file_with("pgp.asc", b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"), "pgp.asc" + KEY),
    (
        file_with("gcp.json", b'{"private_key": "-----BEGIN PRIVATE KEY-----\\nMII"}'),
        "gcp.json" + KEY,
    ),
    (file_with("cfg", b"aws_secret_access_key = " + b"A1b2/" * 8), "cfg" + KEY),
    (file_with("shell", b"export AWS_SECRET_ACCESS_KEY=" + b"A1b2/" * 8), "shell" + KEY),
    (file_with("made.json", b'{"SecretAccessKey": "' + b"A1b2/" * 8 + b'"}'), "made.json" + KEY),
    (file_with("conf.json", b'"aws_secret_access_key": "' + b"A1b2/" * 8), "conf.json" + KEY),
    (file_with("vars", b"LINE_CHANNEL_SECRET=" + b"0a1b2c3d" * 4), "vars" + KEY),
    (file_with("kube.yaml", b"client-key-data: " + b"LS0tLS1C" * 5), "kube.yaml" + KEY),
    (file_with("big", b"x" * ((50 << 20) + 1)), "big: the files are larger than 50 MB"),
    (file_with("packages", b"x"), "packages is a folder in the image, but a file in image.files"),
    (
        file_with("bot/app.py/more.py", b"x"),
        "bot/app.py is a folder in the image, but a file in image.files",
    ),
]


@pytest.mark.parametrize(("make", "why"), REJECTED, ids=[why.split(":")[0] for _, why in REJECTED])
def test_file_is_rejected(folder: Path, make: Callable[[Path], None], why: str) -> None:
    """The error names the file and the reason."""
    make(folder)
    assert why in rejection(folder)


def test_certificates_and_public_keys_are_included(folder: Path) -> None:
    """Public keys are not secrets."""
    public = {
        "ca.pem": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "id_rsa.pub": b"ssh-rsa AAAA me\n",
        "public.key": b"-----BEGIN PUBLIC KEY-----\nMIIB\n",
    }
    for name, content in public.items():
        (folder / name).write_bytes(content)
    assert public.items() <= own.read(folder, folder.parent).files.items()


def test_file_name_that_is_not_utf8_is_rejected(folder: Path) -> None:
    """The error shows the bytes of the name, as from an old archive."""
    (folder / os.fsdecode(b"\x8bL\x8e\x96.json")).write_bytes(b"[]")
    assert "\\x8bL\\x8e\\x96.json: its name is not UTF-8" == rejection(folder)


def test_file_in_place_of_the_bots_folder_is_rejected(folder: Path) -> None:
    """`bot` has to be a folder."""
    why = "bot is a folder in the image, but a file in image.files"
    with pytest.raises(UsageError, match=why):
        files({"bot": b"x"})


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../home/.aws", "is not below "),
        ("../home", "is not below "),
        ("..", "is not below "),
        (".", "is not below "),
        ("/etc", "is not below "),
        ("link", "is not below "),
        ("own/../../home", "is not below "),
        (".ssh", "is hidden: .ssh"),
        ("own/.aws", "is hidden: .aws"),
        ("nowhere", "is not a folder"),
        ("own/bot/phrases.py", "is not a folder"),
    ],
)
def test_folder_is_rejected(folder: Path, name: str, why: str) -> None:
    """It has to be below stack.yaml's folder and not hidden, after resolving links."""
    (folder.parent / "link").symlink_to("../home")
    (folder.parent / ".ssh").mkdir()
    (folder / ".aws").mkdir()
    assert why in rejection(folder, name)


def test_folder_may_be_a_link_beside_stack_yaml(folder: Path) -> None:
    """A link that stays below stack.yaml's folder is allowed."""
    (folder.parent / "other").symlink_to("own")
    assert ("bot/phrases.py",) == inputs.read_inputs("", "linux/amd64", folder.parent, "other").own
