#include "agent/common/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

#include "agent/common/text.h"

namespace oombox {

namespace {

// %* : the message as the inside of a JSON string.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    std::string_view rest(message.payload.data(), message.payload.size());
    while (!rest.empty()) {
      const size_t length = Utf8Length(rest);
      if (length == 0) {
        out.append(std::string_view("\\ufffd"));  // the replacement character
      } else if (rest[0] == '"' || rest[0] == '\\') {
        out.push_back('\\');
        out.push_back(rest[0]);
      } else if (static_cast<unsigned char>(rest[0]) < 0x20) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", rest[0]);
      } else {
        out.append(rest.substr(0, length));
      }
      rest.remove_prefix(std::max<size_t>(length, 1));
    }
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

// %* : the message without what a terminal would obey. Names that anybody chose are escaped where
// they come in; this is for what is not: paths, peers, other libraries' words. A further line is
// indented, so that none looks like a message of its own.
class TextMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    std::string_view rest(message.payload.data(), message.payload.size());
    while (!rest.empty()) {
      const size_t length = std::max<size_t>(Utf8Length(rest), 1);
      const std::string_view character = rest.substr(0, length);
      if (IsPrintableUtf8(character)) {
        out.append(character);
      } else if (character == "\n") {
        out.append(std::string_view("\n    "));
      } else {
        out.append(EscapeUntrusted(character));
      }
      rest.remove_prefix(length);
    }
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<TextMessage>();
  }
};

}  // namespace

Status SetUpLog(const std::string& program, const std::string& format, const std::string& level) {
  const auto parsed = spdlog::level::from_str(level);
  if (parsed == spdlog::level::off && level != "off") {
    return MakeError(ErrorCode::kInvalid,
                     "log-level \"{}\" is unknown: use debug, info, warn, error or off", level);
  }
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  // https://no-color.org: present and not empty.
  if (const char* no_color = std::getenv("NO_COLOR"); no_color != nullptr && *no_color != '\0') {
    sink->set_color_mode(spdlog::color_mode::never);
  }
  auto logger = std::make_shared<spdlog::logger>(program, std::move(sink));
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (format == "json") {
    formatter->add_flag<JsonMessage>('*').set_pattern(
        R"({"ts":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","program":"%n","msg":"%*"})");
  } else if (format == "text") {
    formatter->add_flag<TextMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %n: %*");
  } else {
    return MakeError(ErrorCode::kInvalid, "log-format \"{}\" is unknown: use text or json", format);
  }
  logger->set_formatter(std::move(formatter));
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace oombox
