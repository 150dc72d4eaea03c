#include "tools/oombox/render/json.h"
#include "tools/oombox/render/status_view.h"
#include "tools/oombox/render/yaml.h"
#include "tools/oombox/verbs/verbs.h"

namespace oombox {

namespace {

Status Print(const std::vector<v1::NodeStatus>& nodes, const StatusOptions& options,
             const VerbContext& context) {
  if (context.format == OutputFormat::kJsonLines) {
    for (const v1::NodeStatus& node : nodes) {
      OOMBOX_TRY(const std::string line, ToJson(node, JsonLayout::kOneLine));
      context.out->Write(line);
    }
    return {};
  }
  if (context.format == OutputFormat::kJson || context.format == OutputFormat::kYaml) {
    v1::ListNodesResponse message;
    message.mutable_nodes()->Add(nodes.begin(), nodes.end());
    if (context.format == OutputFormat::kYaml) {
      context.out->Write(ToYaml(message));
      return {};
    }
    OOMBOX_TRY(const std::string text, ToJson(message, JsonLayout::kIndented));
    context.out->Write(text);
    return {};
  }
  context.out->Write(RenderStatus(nodes, {context.now_ns, context.out->width(), context.headers,
                                          options.verbose, context.out->paint()}));
  return {};
}

}  // namespace

Result<ExitCode> RunStatus(const StatusOptions& options, const VerbContext& context) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(
      CheckFormat("status", context.format, {F::kTable, F::kJson, F::kJsonLines, F::kYaml}));
  OOMBOX_TRY(const std::vector<v1::NodeStatus> nodes, context.source->Nodes());
  OOMBOX_RETURN_IF_ERROR(Print(nodes, options, context));
  return AllComplete(nodes) ? kExitOk : kExitPartial;
}

}  // namespace oombox
