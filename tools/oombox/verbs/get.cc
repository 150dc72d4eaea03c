#include "tools/oombox/reference.h"
#include "tools/oombox/render/json.h"
#include "tools/oombox/render/yaml.h"
#include "tools/oombox/verbs/verbs.h"

namespace oombox {

Result<ExitCode> RunGet(const std::string& reference, const VerbContext& context) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(CheckFormat("get", context.format, {F::kYaml, F::kJson, F::kJsonLines}));
  OOMBOX_RETURN_IF_ERROR(CheckReference(reference));
  OOMBOX_TRY(const std::string id, ResolveReference(reference, context.source));
  auto event = context.source->GetEvent(id);
  if (!event.has_value()) {
    return tl::unexpected<Error>(
        ExplainReferenceError(std::move(event).error(), reference, context.source, context.now_ns));
  }
  if (context.format == F::kJson || context.format == F::kJsonLines) {
    const bool one_line = context.format == F::kJsonLines;
    OOMBOX_TRY(const std::string text,
               ToJson(*event, one_line ? JsonLayout::kOneLine : JsonLayout::kIndented));
    context.out->Write(text);
  } else {
    context.out->Write(ToYaml(*event));
  }
  return kExitOk;
}

}  // namespace oombox
