#include "tools/oombox/flags.h"

#include <map>

#include "tools/oombox/connect_error.h"

namespace oombox {

namespace {

const std::map<std::string, OutputFormat> kFormats = {{"table", OutputFormat::kTable},
                                                      {"compact", OutputFormat::kCompact},
                                                      {"json", OutputFormat::kJson},
                                                      {"jsonl", OutputFormat::kJsonLines},
                                                      {"yaml", OutputFormat::kYaml}};
const std::map<std::string, ColorMode> kColors = {
    {"auto", ColorMode::kAuto}, {"always", ColorMode::kAlways}, {"never", ColorMode::kNever}};
const std::map<std::string, ChartStyle> kChartStyles = {{"braille", ChartStyle::kBraille},
                                                        {"blocks", ChartStyle::kBlocks},
                                                        {"ascii", ChartStyle::kAscii}};
const std::map<std::string, TopSort> kSorts = {{"closeness", TopSort::kCloseness},
                                               {"growth", TopSort::kGrowth},
                                               {"full", TopSort::kFull},
                                               {"usage", TopSort::kUsage}};
const std::vector<std::string> kKinds = {"oom", "no_victim", "pressure", "gap", "no_kill"};
const std::vector<std::string> kQosClasses = {"Guaranteed", "Burstable", "BestEffort"};
const std::vector<std::string> kShells = {"bash", "zsh", "fish"};

constexpr const char* kReferenceHelp =
    "id, a prefix of one (4 characters or more), \"latest\" [default],\n"
    "NAMESPACE/POD or deployment/NAME (the newest kill of it)";

// A value that is given must say something.
const CLI::Validator kNotEmpty(
    [](std::string& value) {
      return value.empty() ? std::string("is empty; leave the option out instead") : std::string();
    },
    "", "not empty");

template <typename T>
std::string Choices(const std::map<std::string, T>& map) {
  std::string out;
  for (const auto& [name, unused] : map) {
    out += (out.empty() ? "" : "|") + name;
  }
  return out;
}

template <typename Target, typename T>
CLI::Option* AddChoice(CLI::App* app, const std::string& names, Target* target,
                       const std::map<std::string, T>& choices, const std::string& help) {
  const auto parse = [target, &choices](const CLI::results_t& values) {
    const auto found = choices.find(values.back());
    if (found == choices.end()) {
      throw CLI::ValidationError("\"" + values.back() + "\" is none of " + Choices(choices));
    }
    *target = found->second;
    return true;
  };
  return app->add_option(names, parse, help)->type_name(Choices(choices))->expected(1);
}

CLI::App* AddVerb(CLI::App* app, Invocation* invocation, Verb verb, const std::string& name,
                  const std::string& help, const std::string& examples) {
  CLI::App* sub = app->add_subcommand(name, help);
  sub->callback([invocation, verb] { invocation->verb = verb; });
  sub->footer("Examples:\n" + examples + "\nOptions of every verb: oombox --help");
  return sub;
}

auto FilterAdder(CLI::App* app) {
  return [app](const char* name, std::string* target, const char* type, const char* help) {
    app->add_option(name, *target, help)->type_name(type)->check(kNotEmpty)->group("Filter");
  };
}

// What chooses containers.
void AddContainerFlags(CLI::App* app, FilterOptions* options) {
  const auto add = FilterAdder(app);
  add("-n,--namespace", &options->namespace_name, "PATTERN",
      "The pod's namespace; * matches any characters");
  app->add_flag("-A,--all-namespaces", options->all_namespaces,
                "Every namespace, and what is in none [default]")
      ->group("Filter");
  add("--pod", &options->pod, "PATTERN", "The pod's name, or NAMESPACE/NAME");
  add("--container", &options->container, "PATTERN", "The container's name in its pod");
  add("--owner", &options->owner, "PATTERN",
      "Who made the pod: deployment/NAME, sts/NAME, ds/NAME, job/NAME, cronjob/NAME");
  add("--image", &options->image, "PATTERN",
      "Part of the image's name; with * it must match all of it");
  app->add_option("--qos", options->qos, "The pod's QoS class")
      ->type_name("Guaranteed|Burstable|BestEffort")
      ->transform(CLI::IsMember(kQosClasses, CLI::ignore_case).description(""))
      ->group("Filter");
  add("--cgroup", &options->cgroup, "PATTERN",
      "Part of the cgroup's path (the victim's); with * it must match all of it");
  add("--host", &options->host, "PATTERN", "The node's name; * matches any characters");
}

void AddFilterFlags(CLI::App* app, FilterOptions* options, const std::string& kind_help) {
  const auto add = FilterAdder(app);
  add("--since", &options->since, "WHEN", "From then on: 10m, 3h, 2d or 2026-11-23T03:00:00Z");
  add("--until", &options->until, "WHEN", "Up to then");
  AddContainerFlags(app, options);
  add("--comm", &options->comm, "PATTERN", "The victim's name; * matches any characters");
  add("--filter", &options->expression, "EXPR",
      "Any filter: comparisons (= != < <= > >= :) of id, kind, time, node,\n"
      "cluster, namespace, pod, container, owner, image, qos, cgroup, comm,\n"
      "workload, tgid, joined by AND, OR, NOT and ( )");
  app->add_option("--kind", options->kind, kind_help)
      ->type_name("oom|no_victim|pressure|gap|no_kill")
      ->check(CLI::IsMember(kKinds).description(""))
      ->group("Filter");
  app->add_flag("--print-filter", options->print, "Print the filter all this amounts to, and exit")
      ->group("Filter");
}

void AddList(CLI::App* app, Invocation* invocation) {
  CLI::App* sub =
      AddVerb(app, invocation, Verb::kList, "list", "What was killed, newest first",
              "  oombox list --since 3h\n"
              "  oombox --local list --last 20 --no-group\n"
              "  oombox list --since 2d --comm 'python*' -o jsonl > saved.jsonl\n"
              "  oombox list -f saved.jsonl --cgroup shop\n"
              "  oombox list --kind pressure --since 1h   (who came near a limit, or stalled)\n"
              "Gaps, where kills may have been lost, stay listed under --cgroup and --comm;\n"
              "--kind oom hides them. Exit 3: the coverage, in the last line, is partial.\n");
  AddFilterFlags(sub, &invocation->list.filter,
                 "Only these; default: all but pressure and no_kill\n"
                 "(SIGKILLs and marks that are no OOM kill)");
  sub->add_option("--last", invocation->list.last,
                  "At most so many events [default: 1000; json, jsonl, yaml: all]")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, int64_t{100'000}).description(""));
  sub->add_flag("--no-group", invocation->list.no_group,
                "One line for each kill, not one for each workload");
}

void AddWatch(CLI::App* app, Invocation* invocation) {
  CLI::App* sub =
      AddVerb(app, invocation, Verb::kWatch, "watch",
              "Kills and memory pressure as they happen, one line each; times are UTC",
              "  oombox watch\n"
              "  oombox watch --host 'gpu-*' --kind oom\n"
              "  oombox watch --count 1 -o jsonl     (wait for the next event)\n"
              "It begins now; what was before is in `oombox list`. A lost connection is\n"
              "made again, going on after the last event seen.\n");
  AddFilterFlags(sub, &invocation->watch.filter,
                 "Only these; default: all but no_kill\n(SIGKILLs and marks that are no OOM kill)");
  sub->add_flag("--reconnect,!--no-reconnect", invocation->watch.reconnect,
                "Connect again when the connection breaks [default: yes]");
  sub->add_option("--count", invocation->watch.count, "End after so many lines")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}).description(""));
}

void AddSingleEventVerbs(CLI::App* app, Invocation* invocation) {
  CLI::App* get = AddVerb(app, invocation, Verb::kGet, "get", "All that is known of one event",
                          "  oombox get latest\n"
                          "  oombox get 4k7q -o json | jq .oom.victims\n");
  get->add_option("reference", invocation->argument, kReferenceHelp);
  CLI::App* explain =
      AddVerb(app, invocation, Verb::kExplain, "explain", "What died and why, on one screen",
              "  oombox explain latest\n"
              "  oombox explain 4k7q -f saved.json\n");
  explain->add_option("reference", invocation->argument, kReferenceHelp);
}

void AddCurve(CLI::App* app, Invocation* invocation) {
  CLI::App* curve =
      AddVerb(app, invocation, Verb::kCurve, "curve", "The memory before a kill, drawn",
              "  oombox curve latest\n"
              "  oombox curve shop/web-1 --style blocks\n"
              "  oombox curve 4k7q -o table      (every reading, all that is known of it)\n"
              "  oombox curve 4k7q -o jsonl | jq -r '[.time, .usage_bytes] | @tsv'\n"
              "The hour before the kill, and its last 2 minutes finer. Points are readings,\n"
              "not means; where nothing was read it is blank, and said below.\n"
              "Exit 5: no such event, or it has no curve.\n");
  curve->add_option("reference", invocation->argument, kReferenceHelp);
  AddChoice(curve, "--style", &invocation->curve.style, kChartStyles,
            "What it is drawn with [default: braille; ascii where the locale\n"
            "or the terminal has no UTF-8]");
}

void AddTop(CLI::App* app, Invocation* invocation) {
  CLI::App* top = AddVerb(app, invocation, Verb::kTop, "top",
                          "Containers, the nearest to their memory limit first",
                          "  oombox top\n"
                          "  oombox --local top --all\n"
                          "  oombox top -n shop --owner 'deploy/*' --sort full\n"
                          "  oombox top --once -o jsonl\n"
                          "Usage is what the limit counts, page cache included; the working set,\n"
                          "without the cache that is given back first, is what kubectl top shows,\n"
                          "and % is its part of the limit. Growth is of what the kernel cannot\n"
                          "reclaim; FULL IN is how long until that fills the limit if it goes on,\n"
                          "with ? where it goes up and down.\n"
                          "Other cgroups with a limit, and the node itself when it is near, are\n"
                          "among them. On a terminal it goes on; q or ctrl-C ends.\n"
                          "Exit 3: a node was not heard of lately, or does not tell all.\n");
  AddContainerFlags(top, &invocation->top.filter);
  top->add_flag("--all", invocation->top.all,
                "Every container, not only the first 20, or those that fit the terminal");
  AddChoice(top, "--sort", &invocation->top.sort, kSorts,
            "What comes first [default: closeness, the working set's part of the limit]");
  top->add_flag("--once", invocation->top.once, "Print once and end, as into a pipe");
  top->add_option("--interval", invocation->top.interval,
                  "How often a terminal is drawn anew [default: 2s]")
      ->type_name("DURATION");
}

void AddOtherVerbs(CLI::App* app, Invocation* invocation) {
  CLI::App* status =
      AddVerb(app, invocation, Verb::kStatus, "status", "Is every kill on every node an event?",
              "  oombox status\n"
              "  oombox --local status --verbose\n"
              "Exit 3: a node is incomplete, or was not heard of lately.\n");
  status->add_flag("-v,--verbose", invocation->status.verbose,
                   "Also what is attached since when, what waits, and features a node lacks");
  CLI::App* version = AddVerb(
      app, invocation, Verb::kVersion, "version", "Versions of this program and of the server",
      "  oombox version\n"
      "  oombox version --check\n"
      "Exit 0 even when no server answers. With --check: 69 when no server\n"
      "answers, 4 when the versions differ.\n");
  version->add_flag("--check", invocation->version.check,
                    "Fail when the server is away or of another version");
  CLI::App* completion =
      AddVerb(app, invocation, Verb::kCompletion, "completion", "Completion for a shell",
              "  source <(oombox completion bash)\n"
              "  oombox completion fish | source\n");
  completion->add_option("shell", invocation->argument, "bash, zsh or fish")->required();
}

std::string FirstSentence(const std::string& help) {
  const std::string sentence = help.substr(0, help.find_first_of(":;[\n"));
  return sentence.substr(0, sentence.find_last_not_of(' ') + 1);
}

std::vector<CompletionFlag> FlagsOf(const CLI::App& app) {
  std::vector<CompletionFlag> flags;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      continue;
    }
    CompletionFlag flag;
    for (const std::string& name : option->get_lnames()) {
      flag.names.push_back("--" + name);
    }
    for (const std::string& name : option->get_snames()) {
      flag.names.push_back("-" + name);
    }
    flag.help = FirstSentence(option->get_description());
    flag.takes_value = option->get_expected_max() > 0 && option->get_type_size() > 0;
    const std::string type = option->get_type_name();
    flag.takes_file = type == "FILE";
    for (size_t at = 0;
         flag.takes_value && type.find('|') != std::string::npos && at < type.size();) {
      const size_t end = std::min(type.find_first_of("|:", at), type.size());
      flag.values.push_back(type.substr(at, end - at));
      at = end < type.size() && type[end] == '|' ? end + 1 : type.size();
    }
    flags.push_back(std::move(flag));
  }
  return flags;
}

}  // namespace

void AddGlobalFlags(CLI::App* app, GlobalOptions* options) {
  app->add_option("-s,--server", options->server,
                  "The collector (or agent) to ask: HOST:PORT or unix:PATH\n"
                  "[OOMBOX_SERVER; default " +
                      kDefaultCollector + "]")
      ->type_name("ADDR")
      ->check(kNotEmpty);
  app->add_flag(
      "-l,--local", options->local,
      "Ask this node's agent\n[OOMBOX_AGENT_SOCKET; default " + kDefaultAgentSocket + "]");
  app->add_option("-f,--file", options->file,
                  "Saved events (-o json, jsonl) instead of a server; - is standard input")
      ->type_name("FILE")
      ->check(kNotEmpty);
  AddChoice(app, "-o,--output", &options->format, kFormats,
            "How to print; each verb has its own default");
  app->add_flag("--no-headers", options->no_headers, "Tables without their first line");
  AddChoice(app, "--color", &options->color, kColors,
            "Colours: auto is on a terminal, unless NO_COLOR is set");
  app->add_option("--timeout", options->timeout, "How long to wait for an answer [default: 10s]")
      ->type_name("DURATION");
  const auto file = [app](const char* name, std::string* target, const char* help) {
    app->add_option(name, *target, help)->type_name("FILE")->group("TLS");
  };
  file("--tls-ca", &options->tls_ca, "Authorities the server's certificate may come from");
  file("--tls-cert", &options->tls_certificate, "This client's certificate");
  file("--tls-key", &options->tls_key, "This client's key");
  app->add_flag("--insecure", options->insecure, "Plaintext to a server on another machine")
      ->group("TLS");
}

void AddVerbs(CLI::App* app, Invocation* invocation) {
  AddList(app, invocation);
  AddWatch(app, invocation);
  AddSingleEventVerbs(app, invocation);
  AddCurve(app, invocation);
  AddTop(app, invocation);
  AddOtherVerbs(app, invocation);
}

CompletionModel ModelOf(const CLI::App& app) {
  CompletionModel model;
  model.flags = FlagsOf(app);
  for (const CLI::App* sub : app.get_subcommands({})) {
    CompletionVerb verb{sub->get_name(), sub->get_description(), {}, {}};
    for (CompletionFlag& flag : FlagsOf(*sub)) {
      if (flag.names.front() != "--help") {
        verb.flags.push_back(std::move(flag));
      }
    }
    if (verb.name == "completion") {
      verb.words = kShells;
    } else if (verb.name == "get" || verb.name == "explain" || verb.name == "curve") {
      verb.words = {"latest"};
    }
    model.verbs.push_back(std::move(verb));
  }
  return model;
}

}  // namespace oombox
