"""Kernels that do not let the agent work: it says so in one line, and exits 69."""

import unittest

from guest_case import GuestCase, kills, node

UNAVAILABLE = "69"  # EX_UNAVAILABLE


class RefusalTest(GuestCase):
    programs = ("oombox-agent", "oombox", "memhog")

    def check_refused(self, frames, name, *words):
        self.assertEqual(frames[f"exit {name}"], UNAVAILABLE, frames[f"said {name}"])
        line, = frames[f"said {name}"].split("\n")
        self.assertIn(" error ", line)
        for word in words:
            self.assertIn(word, line)

    def test_lockdown_confidentiality_is_named_in_one_line(self):
        frames = self.play("refusals", append="lockdown=confidentiality", lockdown="confidentiality")

        self.assertIn("[confidentiality]", frames["lockdown"])
        self.check_refused(frames, "confidentiality", "locked down to confidentiality",
                           "boot with lockdown=integrity")
        # Where the mode cannot be read, the kernel's refusal says it.
        self.check_refused(frames, "blind", "lockdown=confidentiality")

    def test_lockdown_integrity_is_enough_and_a_kernel_without_types_is_named(self):
        frames = self.play("refusals", append="lockdown=integrity", lockdown="integrity")

        self.assertIn("[integrity]", frames["lockdown"])
        self.check_refused(frames, "no-btf", "/sys/kernel/btf/vmlinux", "CONFIG_DEBUG_INFO_BTF=y")
        self.assertEqual(len(kills(frames["list"])), 1)
        report = node(frames)
        self.assertEqual(report["accounting"]["kernel_kills"], 1)
        self.assertEqual(report["accounting"]["captured"], 1)
        self.assertEqual(report["coverage"]["state"], "STATE_COMPLETE")
        # No bpffs is mounted: kills are recorded only while the agent runs, and status says so.
        self.assertEqual(report["attachment"].get("pin_path", ""), "")
        unpinned, = (feature for feature in report["coverage"]["unavailable"]
                     if feature["field"] == "pinning")
        self.assertIn("bpffs", unpinned["reason"])
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])


if __name__ == "__main__":
    unittest.main()
