#pragma once

#include "oombox/v1/event.pb.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// The parts of a diagnosis; each adds its sentences and evidence. Pure.

// Whose limit fired: verdict, confidence, evidence.
void DiagnoseLimit(const v1::OomEvent& oom, v1::Diagnosis* diagnosis);
// Who was killed, who held more, who asked for memory.
void DiagnoseVictim(const v1::OomEvent& oom, v1::Diagnosis* diagnosis);
// What holds the memory that is no process's own.
void DiagnoseComposition(const v1::OomEvent& oom, v1::Diagnosis* diagnosis);
// What would matter and is not known, with the reason where the event has it.
void ListUnknowns(const v1::OomEvent& oom, v1::Diagnosis* diagnosis);
// What is none, or killed nobody.
void DiagnoseNoKill(const v1::NoKillEvent& no_kill, v1::Diagnosis* diagnosis);
// What Kubernetes shows of a kill, or of what is none, and what it hides.
void DescribeKubernetes(const v1::Event& event, v1::Diagnosis* diagnosis);
// A cgroup, or the node, that came near its limit or stands still for want of memory, or left that.
void DiagnosePressure(const v1::PressureEvent& pressure, v1::Diagnosis* diagnosis);
// A window in which oombox was blind.
void DiagnoseGap(const v1::GapEvent& gap, v1::Diagnosis* diagnosis);

}  // namespace oombox
