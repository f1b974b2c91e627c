// The `ringfuse` command: what there is to say on its command line, and who does it.
#include "abort.hpp"
#include "config.hpp"
#include "doctor.hpp"
#include "run.hpp"
#include "status.hpp"
#include "top.hpp"

#include <CLI/CLI.hpp>

namespace rf::command {
namespace {

struct Words {
    Which status;
    TopRequest top;
    AbortRequest abort;
    RunRequest run;
    bool status_json = false;
    bool doctor_json = false;
    bool verbose = false;
};

void add_which(CLI::App& command, Which& which)
{
    CLI::Option* pid =
        command.add_option("-p,--pid", which.pid, "the process that serves it")->check(CLI::PositiveNumber);
    command.add_option("mountpoint", which.mountpoint, "where it is mounted")->excludes(pid);
}

void add_run(CLI::App& app, RunRequest& run)
{
    CLI::App* command = app.add_subcommand("run", "start a program with ringfuse in place of its libfuse3");
    command->add_option("-t,--transport", run.transport, "auto, fuse_uring, dev or dev_uring")
        ->check(CLI::IsMember({"auto", "fuse_uring", "dev", "dev_uring"}));
    command->add_option("-l,--lib", run.library,
                        "for programs that load libfuse3 later: libfuse3.so.3, libfuse3.so.4, or a file");
    command->add_flag("-v,--verbose", run.verbose, "one line about the transport on stderr");
    command->add_flag("-n,--explain", run.explain, "say what would be run, and do not");
    command->add_flag("--json", run.json, "facts as JSON");
    command->add_option("command", run.words, "the program and its arguments, best after --")->required();
    command->positionals_at_end();
}

void add_others(CLI::App& app, Words& words)
{
    CLI::App* doctor =
        app.add_subcommand("doctor", "can this machine serve over io_uring, and what helps if not");
    doctor->add_flag("--json", words.doctor_json, "findings as JSON");

    CLI::App* status = app.add_subcommand("status", "what the mounts served by ringfuse do just now");
    add_which(*status, words.status);
    status->add_flag("--json", words.status_json, "facts as JSON");

    CLI::App* top = app.add_subcommand("top", "the same as a live table; q leaves");
    add_which(*top, words.top.which);
    top->add_option("-i,--interval", words.top.interval_s, "seconds between two looks")
        ->check(CLI::Range(0.1, 3600.0));
    top->add_option("-n,--looks", words.top.looks, "end after so many");
    top->add_flag("--json", words.top.json, "one JSON object a line for each look");

    CLI::App* abort = app.add_subcommand("abort", "end a mount that hangs, without its filesystem's help");
    abort->add_option("mountpoint", words.abort.mountpoint, "where it is mounted")->required();
    abort->add_flag("-y,--yes", words.abort.yes, "do not ask");
    abort->add_flag("--keep", words.abort.keep, "abort, but leave the dead mount where it is");
    abort->add_flag("--json", words.abort.json, "the result as JSON");
}

int dispatch(const CLI::App& app, const Words& words)
{
    if (app.got_subcommand("run"))
        return run_program(words.run);
    if (app.got_subcommand("doctor"))
        return run_doctor(words.doctor_json);
    if (app.got_subcommand("status"))
        return run_status(words.status, words.status_json);
    if (app.got_subcommand("top"))
        return run_top(words.top);
    return run_abort(words.abort);
}

} // namespace
} // namespace rf::command

int main(int argc, char* argv[])
{
    constexpr int kExitUsage = 2;
    CLI::App app("Runs FUSE filesystems over io_uring and shows what they do. See ringfuse(1).", "ringfuse");
    app.set_version_flag("-V,--version", "ringfuse " RF_PACKAGE_VERSION);
    app.require_subcommand(1);
    rf::command::Words words;
    rf::command::add_run(app, words.run);
    rf::command::add_others(app, words);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : kExitUsage;
    }
    return rf::command::dispatch(app, words);
}
