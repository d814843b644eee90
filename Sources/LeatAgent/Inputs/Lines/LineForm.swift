internal import LeatCore
internal import LeatParsing

/// How the lines of an input become records; one for all its files.
struct LineForm {
    /// Names of the members that a container line becomes.
    struct ContainerNames: Hashable {
        /// The application's text.
        var text = "log"
        /// Whether the line was whole.
        var partial = "_p"
    }

    /// Key of a line that is in no other form.
    var key = "log"
    var readsCRI = false
    var readsDocker = false
    /// Whether docker's lines whose text has no newline at its end go on in the next one.
    var joinsDocker = true
    var names = ContainerNames()
    /// Rules by which lines are joined into events.
    var multiline: MultilineMachine?
    /// Takes lines apart before the rules judge them.
    var parsedLines: ParsedLines.Form?
    var multilineTimeoutNanoseconds = MultilineDefinition.defaultTimeoutNanoseconds
    /// Parser of lines that are not in a container's form.
    var parser: LineParser?
    /// Whether the parser reads the first line of an event only, whose last text the other lines continue
    /// (`Parser_Firstline`).
    var parsesFirstLineOnly = false
    var offsetKey: String?
    var lineByteCountMax = 4 << 20
}

/// What the lines of an input look like as JSON, made once.
final class LineTemplates {
    let form: LineForm
    /// `"log":"`, for lines in no form.
    let rawOpening: [UInt8]
    /// `","stream":"stdout","_p":"F","log":"` and the like, per stream.
    let criMiddles: [[UInt8]]
    /// `","stream":"stdout","_p":"F",` and the like, per stream.
    let criOpenings: [[UInt8]]
    /// The name in them that says whether a line was whole, as it stands in JSON.
    let partialName: [UInt8]
    /// `"log":"`, for container lines.
    let textOpening: [UInt8]
    /// `,"offset":`; empty without `Offset_Key`.
    let offsetOpening: [UInt8]

    init(_ form: LineForm) {
        self.form = form
        self.rawOpening = Self.opening(form.key)
        self.textOpening = Self.opening(form.names.text)
        let text = self.textOpening
        self.criOpenings = LogStream.allCases.map { stream in
            var bytes: [UInt8] = []
            bytes.append("\"")
            bytes.appendMember("stream", text: stream.name.utf8, start: 0)
            bytes.appendMember(form.names.partial, text: "F".utf8, start: 0)
            return bytes + [UInt8(ascii: ",")]
        }
        self.criMiddles = self.criOpenings.map { $0 + text }
        self.partialName = FieldPath.contents(form.names.partial)
        var offset: [UInt8] = []
        if let key = form.offsetKey { offset.appendMember(key, json: "", start: -1) }
        self.offsetOpening = offset
    }

    /// Whether the members of an object in a container's line may take the place of the text that it is.
    var mayMerge: Bool { self.offsetOpening.isEmpty && self.form.names.text == "log" }

    private static func opening(_ key: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendMember(key, json: "\"", start: 0)
        return bytes
    }
}
