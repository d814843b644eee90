import Foundation
import Testing

/// The floors of the house: imports point only downward, and siblings never meet.
@Suite struct LayeringTests {
    /// What each module may import of ours.
    static let allowed: [String: Set<String>] = [
        "CLeatKernels": [],
        "CLeatPlatform": [],
        "LeatCore": ["CLeatKernels", "CLeatPlatform"],
        "LeatParsing": ["LeatCore"],
        "LeatStorage": ["LeatCore", "CLeatKernels"],
        "LeatQuery": ["LeatCore"],
        "LeatAgent": ["LeatCore", "LeatParsing", "CLeatPlatform"],
        "LeatServer": ["LeatCore", "LeatParsing", "LeatStorage", "LeatQuery"],
        "LeatShell": ["LeatCore", "LeatParsing", "LeatQuery"],
        "leat-agent": ["LeatAgent", "LeatCore"],
        "leat-server": ["LeatServer", "LeatCore"],
        "leat": ["LeatShell", "LeatCore"],
        "LeatTesting": ["LeatCore", "CLeatPlatform"],
    ]

    /// Modules that must stay small enough for a node agent, and so never import these.
    static let agentModules = ["LeatCore", "LeatParsing", "LeatAgent", "leat-agent"]
    static let notInTheAgent: Set<String> = [
        "Foundation", "FoundationEssentials", "ArgumentParser", "Logging", "Yams", "AsyncHTTPClient", "Crypto",
    ]

    /// Networking belongs to the agent, the server and the shell.
    static let notInCore = "NIO"

    @Test(arguments: allowed.keys.sorted())
    func importsPointDownward(module: String) throws {
        let ours = Set(Self.allowed.keys)
        let permitted = try #require(Self.allowed[module])
        for (file, imported) in try SourceTree.imports(of: module) where ours.contains(imported) && imported != module {
            #expect(permitted.contains(imported), "\(file) imports \(imported), which is not below \(module)")
        }
    }

    @Test(arguments: agentModules)
    func theAgentImportsNothingHeavy(module: String) throws {
        for (file, imported) in try SourceTree.imports(of: module) {
            #expect(!Self.notInTheAgent.contains(imported), "\(file) imports \(imported)")
        }
    }

    @Test(arguments: ["LeatCore", "LeatParsing", "LeatQuery", "LeatStorage"])
    func theLowerFloorsHaveNoNetworking(module: String) throws {
        for (file, imported) in try SourceTree.imports(of: module) {
            #expect(!imported.hasPrefix(Self.notInCore), "\(file) imports \(imported)")
        }
    }

    @Test func everyModuleIsKnown() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: SourceTree.root + "/Sources")
        let system = ["CZlib", "CDeflate", "CLz4", "CZstd", "CXxhash", "CPcre2", "CYaml", "COpenSSL"]
        let unknown = Set(folders).subtracting(Self.allowed.keys).subtracting(system)
        #expect(unknown == [], "a new module needs a floor")
    }
}
