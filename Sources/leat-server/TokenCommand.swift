internal import ArgumentParser
internal import LeatServer

/// `leat-server token create --admin NAME --data DIR`: the first admin token of a data folder.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Makes the first admin token of a data folder that no server uses.",
        subcommands: [Create.self]
    )

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the secret of a new admin token, for the only time.",
            discussion: "leat-server token create --admin --data /var/lib/leat"
        )

        @Flag(help: "An admin token; other kinds are made with 'leat token create'.")
        var admin = false

        @Argument(help: "The token's name.")
        var name = "admin"

        @OptionGroup var folder: DataFolder

        func run() throws {
            guard self.admin else {
                ServerCommand.fail("only admin tokens are made here: add --admin, or use 'leat token create'", 64)
            }
            do throws(ServerProgram.Failure) {
                ServerCommand.say(try TokenProgram.createAdmin(self.name, dataPath: self.folder.path))
            } catch {
                ServerCommand.fail("\(error)", error.exitCode)
            }
        }
    }
}
