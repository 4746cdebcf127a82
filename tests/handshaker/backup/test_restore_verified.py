"""After a restore the log verifies: without a word where nothing is lost, with a remark where a loss is declared."""

from __future__ import annotations

from handshaker.audit.verification import Report
from handshaker.verifying import verifier
from tests.handshaker.backup.drill import Drill


def verified(drill: Drill) -> Report:
    with verifier(drill.instance.handshaker.settings, chain=drill.chain()) as found:
        return found.verify()


def test_a_restore_by_which_nothing_is_lost_verifies(drill: Drill) -> None:
    drill.anchor()
    folder, _ = drill.back_up()
    drill.restore(folder)
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    report = verified(drill)
    assert report.is_proven, report.findings


def test_an_older_log_does_not_verify_before_its_loss_is_declared_and_does_with_a_remark_after(drill: Drill) -> None:
    drill.anchor()
    folder, _ = drill.back_up()
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    drill.restore(folder)
    assert not verified(drill).is_proven
    drill.accept()
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    report = verified(drill)
    assert report.is_proven, report.findings
    assert any("restore" in remark or "lost" in remark for remark in report.remarks), report.remarks


def test_two_losses_one_after_the_other_verify(drill: Drill) -> None:
    drill.anchor()
    folder, _ = drill.back_up("first")
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    drill.restore(folder)
    drill.accept()
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    later, _ = drill.back_up("second")
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    drill.restore(later)
    drill.accept()
    drill.instance.acknowledged(drill.instance.measure())
    drill.anchor()
    report = verified(drill)
    assert report.is_proven, report.findings
