"""Push an image to a repository; send only missing blobs."""

from collections.abc import Callable

from provision.clients.registry import Blob, Remote
from provision.i18n import _
from provision.image.assembled import BuiltImage

STEP = 10  # percent between two reports


def push(image: BuiltImage, remote: Remote, tag: str, report: Callable[[str], None]) -> int:
    """Push the image under the tag. Return the number of bytes sent. Raise ProvisionError or Pending."""
    missing = [blob for blob in image.blobs if not remote.has(blob.digest)]
    total = sum(blob.size for blob in missing)
    progress = _PushProgress(total, report)
    for blob in missing:
        remote.push(blob, progress.of(blob))
    remote.put(tag, image.manifest)
    return total


class _PushProgress:
    """Report the megabytes sent, every STEP percent."""

    def __init__(self, total: int, report: Callable[[str], None]) -> None:
        self.total, self.report, self.finished, self.last_reported = total, report, 0, -STEP

    def of(self, blob: Blob) -> Callable[[int], None]:
        def progress(sent: int) -> None:
            done = self.finished + sent
            if sent == blob.size:
                self.finished = done
            percent = 100 * done // max(self.total, 1)
            if percent >= self.last_reported + STEP:
                self.last_reported = percent
                message = _(
                    "pushed {out:.1f} of {whole:.1f} MB",
                    out=done / 1e6,
                    whole=self.total / 1e6,
                )
                self.report(message)

        return progress
