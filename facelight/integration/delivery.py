"""From a clip to the service's decision."""

from __future__ import annotations

from facelight.config.settings import Settings
from facelight.delivery.client import open_client
from facelight.delivery.payload import metadata_of, submission_of
from uploader.api.submission import Origin, Outcome, Submission
from uploader.clock import DeliveryClock, SystemDeliveryClock
from uploader.retry import DIRECT
from uploader.retry import deliver as deliver_with

__all__ = ["Origin", "Outcome", "Submission", "deliver", "metadata_of", "submission_of"]


def deliver(
    submission: Submission, settings: Settings, clock: DeliveryClock | None = None
) -> Outcome:
    """Send a submission now and return what came of it; nothing is kept on disk.

    A few attempts within three minutes. ``Outcome.decision`` is the service's; an error that
    remains is ``Outcome.error``, with what to do about it. For a queue that survives a restart use
    the kiosk, or ``process --submit``.

    Parameters
    ----------
    settings : ``endpoint`` or ``region``, and where the credential comes from.

    Raises
    ------
    EndpointError, CredentialError
        no service or no credential is named, or several.
    """
    with open_client(settings) as client:
        return deliver_with(client, submission, DIRECT, clock or SystemDeliveryClock())
