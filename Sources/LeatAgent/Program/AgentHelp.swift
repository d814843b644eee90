/// The text of `--help`.
enum AgentHelp {
    static let text = """
        leat-agent follows log files and ships their lines; a drop-in for fluent-bit.

        Usage: leat-agent -c FILE [options]
               leat-agent -i INPUT [-p key=value]… [-F FILTER …] -o OUTPUT [-p key=value]…
               leat-agent state list|reset|replay -c FILE …

        Examples:
          leat-agent -c /etc/leat/agent.conf
          leat-agent -c agent.conf --dry-run
          leat-agent -i tail -p path=/var/log/app.log -o stdout -m '*'

        Options:
          -c, --config FILE     configuration, classic or YAML
          -R, --parser FILE     file of parsers
          -i, --input NAME      begins an input;  -t, --tag TAG
          -F, --filter NAME     begins a filter;  -m, --match PATTERN
          -o, --output NAME     begins an output; -m, --match PATTERN
          -p, --prop KEY=VALUE  a key of the plugin that was begun last
          -f, --flush SECONDS   longest time before events are sent
          -l, --log_file FILE   log lines to a file
          -q, --quiet           no log lines;  -v, --verbose  more of them
          -D, --dry-run         checks the configuration and ends
          -V, --version
        """
}
