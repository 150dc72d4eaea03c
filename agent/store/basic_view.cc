#include "agent/store/basic_view.h"

namespace oombox {

namespace {

template <typename Repeated>
void KeepFirst(Repeated* field) {
  if (field->size() > 1) {
    field->DeleteSubrange(1, field->size() - 1);
  }
}

void Reduce(v1::OomEvent* oom) {
  // The victim's own path stays: lists show it and filters ask for it. Its numbers go.
  KeepFirst(oom->mutable_cgroups());
  for (v1::CgroupLevel& level : *oom->mutable_cgroups()) {
    v1::CgroupLevel reduced;
    reduced.set_id(level.id());
    reduced.set_path(level.path());
    reduced.set_oom_group(level.oom_group());
    level.Swap(&reduced);
  }
  KeepFirst(oom->mutable_victims());
  KeepFirst(oom->mutable_top_users());
  oom->clear_top_allocators();
  oom->clear_curve();
  if (oom->has_container()) {
    oom->mutable_container()->clear_knobs();
  }
}

}  // namespace

v1::Event BasicView(v1::Event event) {
  event.set_view(v1::EVENT_VIEW_BASIC);
  if (event.has_oom()) {
    Reduce(event.mutable_oom());
  }
  return event;
}

}  // namespace oombox
