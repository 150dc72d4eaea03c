#include "agent/query/node_queries.h"

#include <algorithm>

#include "agent/query/page_token.h"

namespace oombox {

namespace {

constexpr char kNodesToken = 'n';
constexpr int kDefaultPage = 500;
constexpr int kMaxPage = 2000;
constexpr size_t kMaxPageBytes = 3u << 20;  // a response stays below 4 MiB
constexpr size_t kMaxNodeBytes = 512u << 10;

// The order of the list, and the place in it.
std::string KeyOf(const v1::NodeStatus& status) {
  const v1::NodeIdentity& node = status.report().node();
  return node.cluster_name() + '\n' + node.node_name();
}

// One node with very many containers must not make the whole list unanswerable.
void Bound(v1::NodeStatus* status) {
  if (status->ByteSizeLong() > kMaxNodeBytes) {
    status->mutable_report()->clear_containers();
  }
}

}  // namespace

Result<v1::ListNodesResponse> NodeQueries::List(const v1::ListNodesRequest& request) {
  if (request.page_size() < 0) {
    return MakeError(ErrorCode::kInvalid, "page_size is negative");
  }
  const int page =
      std::min(request.page_size() == 0 ? kDefaultPage : request.page_size(), kMaxPage);
  std::string after;
  if (!request.page_token().empty()) {
    OOMBOX_TRY(PageToken token, DecodePageToken(request.page_token(), kNodesToken, 0));
    after = std::move(token.position);
  }
  OOMBOX_TRY(std::vector<v1::NodeStatus> nodes, nodes_.Nodes());
  std::sort(nodes.begin(), nodes.end(),
            [](const v1::NodeStatus& a, const v1::NodeStatus& b) { return KeyOf(a) < KeyOf(b); });

  v1::ListNodesResponse response;
  size_t bytes = 0;
  for (v1::NodeStatus& status : nodes) {
    if (!request.page_token().empty() && KeyOf(status) <= after) {
      continue;
    }
    Bound(&status);
    bytes += status.ByteSizeLong();
    if (response.nodes_size() == page || bytes > kMaxPageBytes) {
      const std::string last = KeyOf(response.nodes(response.nodes_size() - 1));
      response.set_next_page_token(EncodePageToken({.kind = kNodesToken, .position = last}));
      break;
    }
    *response.add_nodes() = std::move(status);
  }
  return response;
}

Result<v1::GetNodeReportResponse> NodeQueries::Report(const v1::GetNodeReportRequest& request,
                                                      std::chrono::milliseconds timeout) {
  OOMBOX_TRY(v1::NodeReport report, nodes_.FreshReport(request.node_name(), timeout));
  v1::GetNodeReportResponse response;
  *response.mutable_report() = std::move(report);
  return response;
}

}  // namespace oombox
