#include "tools/oombox/render/status_view.h"
#include "tools/oombox/render/yaml.h"
#include "tools/oombox/verbs/verbs.h"
#include "tools/oombox/verbs/write_json.h"

namespace oombox {

namespace {

// False: something could not be written, which was said.
Result<bool> Print(const std::vector<v1::NodeStatus>& nodes, const StatusOptions& options,
                   const VerbContext& context) {
  if (context.format == OutputFormat::kJsonLines) {
    bool whole = true;
    for (const v1::NodeStatus& node : nodes) {
      whole = WriteJsonLine(node, context) && whole;
    }
    return whole;
  }
  if (context.format == OutputFormat::kJson || context.format == OutputFormat::kYaml) {
    v1::ListNodesResponse message;
    message.mutable_nodes()->Add(nodes.begin(), nodes.end());
    if (context.format == OutputFormat::kYaml) {
      context.out->Write(ToYaml(message));
      return true;
    }
    return WriteJsonList(std::move(message), context);
  }
  context.out->Write(RenderStatus(nodes, {context.now_ns, context.out->width(), context.headers,
                                          options.verbose, context.out->paint()}));
  return true;
}

}  // namespace

Result<ExitCode> RunStatus(const StatusOptions& options, const VerbContext& context) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(
      CheckFormat("status", context.format, {F::kTable, F::kJson, F::kJsonLines, F::kYaml}));
  OOMBOX_TRY(const std::vector<v1::NodeStatus> nodes, context.source->Nodes());
  OOMBOX_TRY(const bool printed, Print(nodes, options, context));
  return printed && AllComplete(nodes) ? kExitOk : kExitPartial;
}

}  // namespace oombox
