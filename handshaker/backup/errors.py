"""What can be wrong with a backup, or with the place that it is to go to."""

from __future__ import annotations

from handshaker.errors import HandshakerError


class BackupUnusable(HandshakerError):
    """A backup is incomplete or damaged. Data: ``path``, ``problem``."""

    code = "backup-unusable"
    mend = "Take another copy of this backup, or an older backup; nothing was changed."


class BackupForeign(HandshakerError):
    """A backup is of a version of this program that this one does not know, or of another kind of database.

    Data: ``path``, ``expected``, ``found``.
    """

    code = "backup-foreign"
    mend = "Restore it with the version of the program and the kind of databases that it names; nothing was changed."


class FolderTaken(HandshakerError):
    """Something is where the backup should go. Data: ``path``."""

    code = "folder-taken"
    mend = "Name a folder that is not there yet: a backup is never written over anything."


class InstanceTaken(HandshakerError):
    """The instance that should be restored into holds something. Data: ``databases``."""

    code = "instance-taken"
    mend = "Use --replace: what is there is moved aside under a dated name, never deleted."


class NothingToAccept(HandshakerError):
    """No loss waits to be accepted: the log is not held."""

    code = "nothing-to-accept"
    mend = "`handshaker restore FOLDER` restores a backup; what is lost by it can be accepted then."


class LossTooLarge(HandshakerError):
    """More positions of the log are lost than can be declared. Data: ``lost``, ``limit``."""

    code = "loss-too-large"
    mend = "Look for a newer backup."
