"""An image into a repository: what is there already is not sent again."""

from collections.abc import Callable

from provision.clients.registry import Blob, Remote
from provision.i18n import _
from provision.image.assembled import Image

STEP = 10  # per cent between two words about how far it has come


def push(image: Image, remote: Remote, tag: str, tell: Callable[[str], None]) -> int:
    """Pushes it under the tag; how many bytes of layers were sent. Raises ProvisionError or Pending."""
    missing = [blob for blob in image.blobs if not remote.has(blob.digest)]
    whole = sum(blob.size for blob in missing)
    progress = _Progress(whole, tell)
    for blob in missing:
        remote.push(blob, progress.of(blob))
    remote.put(tag, image.manifest)
    return whole


class _Progress:
    """Says how many of all megabytes are out, not oftener than every STEP per cent."""

    def __init__(self, whole: int, tell: Callable[[str], None]) -> None:
        self.whole, self.tell, self.before, self.said = whole, tell, 0, -STEP

    def of(self, blob: Blob) -> Callable[[int], None]:
        def progress(sent: int) -> None:
            out = self.before + sent
            if sent == blob.size:
                self.before = out
            percent = 100 * out // max(self.whole, 1)
            if percent >= self.said + STEP:
                self.said = percent
                words = _(
                    "pushed {out:.1f} of {whole:.1f} MB",
                    out=out / 1e6,
                    whole=self.whole / 1e6,
                )
                self.tell(words)

        return progress
