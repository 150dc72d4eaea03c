#include "tools/oombox/render/explain.h"

#include "tools/oombox/reference.h"
#include "tools/oombox/render/json.h"
#include "tools/oombox/render/yaml.h"
#include "tools/oombox/verbs/verbs.h"

namespace oombox {

Result<ExitCode> RunExplain(const std::string& reference, const VerbContext& context) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(
      CheckFormat("explain", context.format, {F::kTable, F::kJson, F::kJsonLines, F::kYaml}));
  OOMBOX_RETURN_IF_ERROR(CheckReference(reference));
  OOMBOX_TRY(const std::string id, ResolveReference(reference, context.source));
  auto response = context.source->Explain(id);
  if (!response.has_value()) {
    return tl::unexpected<Error>(ExplainReferenceError(std::move(response).error(), reference,
                                                       context.source, context.now_ns));
  }
  switch (context.format) {
    case F::kJson:
    case F::kJsonLines: {
      const bool one_line = context.format == F::kJsonLines;
      OOMBOX_TRY(const std::string text,
                 ToJson(*response, one_line ? JsonLayout::kOneLine : JsonLayout::kIndented));
      context.out->Write(text);
      break;
    }
    case F::kYaml:
      context.out->Write(ToYaml(*response));
      break;
    default:
      context.out->Write(
          RenderExplain(*response, {context.now_ns, context.out->width(), context.out->paint()}));
  }
  return kExitOk;
}

}  // namespace oombox
