import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Whether Python's `botocore`, by which AWS's own tools sign, is there.
private let hasBotocore = system("python3 -c 'import botocore' 2>/dev/null") == 0

/// Outputs with `AWS_Auth`, and the services of AWS that they meet.
struct AWSOutputTests {
    private static let bulk = "filter_path=errors%2Citems.%2A.status%2Citems.%2A.error"

    static let outputs: [(keys: String, scope: String, query: String)] = [
        ("Name es\nSuppress_Type_Name On", "eu-north-1/es", bulk),
        ("Name es\nCompress gzip\nPath /a%20b/\nPipeline p/1", "eu-north-1/es", bulk + "&pipeline=p%2F1"),
        ("Name opensearch\nCompress zstd\nAWS_Service_Name aoss", "eu-north-1/aoss", bulk),
        (
            "Name http\nAWS_Service execute-api\nUri /x%20y/../z?b=2&a=%2F*&c", "eu-north-1/execute-api",
            "a=%2F%2A&b=2&c="
        ),
        ("Name http\nAWS_Service s3\nHTTP_Method PUT\nUri /x%20y//z\nHeader X-Amz-Acl  a  b", "eu-north-1/s3", ""),
        ("Name opentelemetry\nCompress gzip", "eu-north-1/logs", ""),
    ]

    private static let environment = [
        "AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "secret-of-env", "AWS_SESSION_TOKEN": "token-of-env",
    ]

    private static func configuration(_ aws: AWSWorld, _ keys: String, samples: Int = 3) -> String {
        """
        [SERVICE]
            Flush 0.001
            scheduler.base 0.01
            scheduler.cap 0.05
        [INPUT]
            Name dummy
            Samples \(samples)
            Interval_Nsec 1000000
        [OUTPUT]
            Match *
            Host 127.0.0.1
            Port \(aws.eventPort)
            AWS_Auth On
            AWS_Region eu-north-1
            \(keys.split(separator: "\n").joined(separator: "\n    "))
        """
    }

    /// Starts an agent whose services are those of a world, and calls `body` with its first output.
    private static func run(
        _ keys: String,
        samples: Int = 3,
        environment: @escaping (AWSWorld, TemporaryFolder) throws -> [String: String],
        prepare: (AWSWorld) -> Void,
        _ body: (AgentWorld, AWSWorld, OutputQueue) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let aws = try AWSWorld(world.loop)
            prepare(aws)
            let agent = try world.start(
                Self.configuration(aws, keys.replacing("ADDRESS", with: aws.roleAddress), samples: samples),
                environment: try environment(aws, folder)
            )
            try body(world, aws, try #require(agent.queues[0]))
            #expect(aws.faults == [])
            let log = world.lines("agent.log").joined(separator: "\n")
            for secret in aws.secrets { #expect(!log.contains(secret), "\(log)") }
            agent.stop()
            aws.close()
        }
    }

    @Test(arguments: outputs)
    func requestsAreSigned(keys: String, scope: String, query: String) throws {
        try Self.run(keys) { _, _ in
            Self.environment
        } prepare: { aws in
            aws.keys = ["AKENV": ("secret-of-env", "token-of-env")]
            aws.eventStatus = { [unowned aws] _ in aws.events.count == 1 ? 503 : 200 }
        } _: { world, aws, output in
            try world.turn("delivered") { output.counters.deliveredEvents == 3 }
            #expect(output.counters.errors == 1)
            #expect(aws.events.filter { $0.body == aws.events[0].body }.count == 2)
            #expect(aws.events[0].query == query)
            let proof = try #require(aws.events[0].headers["authorization"])
            #expect(proof.contains("Credential=AKENV/") && proof.contains("/\(scope)/aws4_request, "))
        }
    }

    @Test func whatGoesAgainIsSignedAnew() throws {
        try Self.run("Name es\nCompress gzip") { _, _ in
            Self.environment
        } prepare: { aws in
            aws.keys = ["AKENV": ("secret-of-env", "token-of-env")]
            // Nothing is taken within the second of the first request.
            aws.eventStatus = { [unowned aws] request in
                request.headers["x-amz-date"] == aws.events[0].headers["x-amz-date"] ? 503 : 200
            }
        } _: { world, aws, output in
            try world.turn("delivered") { output.counters.deliveredEvents == 3 }
            let again = try #require(aws.events.last { $0.body == aws.events[0].body })
            #expect(again.headers["x-amz-date"] != aws.events[0].headers["x-amz-date"])
            #expect(again.headers["authorization"] != aws.events[0].headers["authorization"])
        }
    }

    @Test(.enabled(if: hasBotocore, "needs python3 with botocore: apt install python3-botocore, or pip"))
    func botocoreSignsTheSame() throws {
        var lines: [String] = []
        for output in Self.outputs {
            try Self.run(output.keys) { _, _ in
                Self.environment
            } prepare: { aws in
                aws.keys = ["AKENV": ("secret-of-env", "token-of-env")]
            } _: { world, aws, output in
                try world.turn("delivered") { output.counters.deliveredEvents == 3 }
                lines += aws.events.map { request in
                    let headers = request.headers.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
                    return #"{"method":"\#(request.method)","path":"\#(request.path)","query":"\#(request.query)","#
                        + #""body":"\#(Base64.text(request.body))","headers":{\#(headers)}}"#
                }
            }
        }
        let folder = try TemporaryFolder()
        let program = try RunningProgram(
            "/usr/bin/env",
            ["python3", try folder.write("sign.py", Self.script)],
            environment: Self.environment,
            input: lines.joined(separator: "\n"),
            folder: folder
        )
        #expect(try program.wait() == .exited(0), "\(program.errors)")
        #expect(program.output == "\(lines.count) same\n")
        #expect(lines.count >= Self.outputs.count)
    }

    /// Signs what the agent has signed, with `botocore`.
    private static let script = """
        import base64, hashlib, json, os, sys
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        count = 0
        for line in sys.stdin:
            sent = json.loads(line)
            body, headers = base64.b64decode(sent["body"]), sent["headers"]
            parts = headers["authorization"].split(" ", 1)[1].split(", ")
            scope, names, signature = [part.split("=", 1)[1] for part in parts]
            _, _, region, service, _ = scope.split("/")
            request = AWSRequest(
                method=sent["method"], data=body,
                url="http://" + headers["host"] + sent["path"] + ("?" + sent["query"] if sent["query"] else ""),
                headers={name: headers[name] for name in names.split(";")},
            )
            request.context["timestamp"] = headers["x-amz-date"]
            credentials = Credentials(*(os.environ["AWS_" + name] for name in
                                        ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")))
            auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region)
            text = auth.string_to_sign(request, auth.canonical_request(request))
            assert auth.signature(text, request) == signature, auth.canonical_request(request)
            assert hashlib.sha256(body).hexdigest() == headers["x-amz-content-sha256"]
            count += 1
        print(count, "same")
        """

    /// `Expiration` is hours away, but the role is withdrawn before.
    @Test(arguments: [false, true])
    func credentialsOfTheMachineAreFetchedAgainWhenTheyAreRefused(isContainer: Bool) throws {
        try Self.run("Name es", samples: 300) { aws, folder in
            guard isContainer else { return ["AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.metadataAddress + "/"] }
            return [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": aws.metadataAddress + "/pod",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": try folder.write("token", "pod-token\n"),
            ]
        } prepare: { aws in
            aws.keys = ["AK1": ("secret-one", "token-one"), "AK2": ("secret-two", "token-two")]
            aws.machineID = "AK1"
        } _: { world, aws, output in
            try world.turn("some delivered") { output.counters.deliveredEvents >= 5 }
            aws.expired = ["AK1"]
            aws.machineID = "AK2"
            try world.turn("all delivered") { output.counters.deliveredEvents == 300 }
            let requests = aws.metadata.map { "\($0.method) \($0.path)" }
            let role = "GET /latest/meta-data/iam/security-credentials/"
            let once = isContainer ? ["GET /pod"] : ["PUT /latest/api/token", role, role + "node-role"]
            #expect(requests == once + once)
            if isContainer { #expect(aws.metadata[0].headers["authorization"] == "pod-token") }
        }
    }

    @Test func aRoleIsTakenWithOtherCredentials() throws {
        let keys = "Name es\nAWS_Role_ARN arn:aws:iam::1:role/logs\nAWS_External_ID x y\nAWS_STS_Endpoint ADDRESS"
        try Self.run(keys) { _, _ in
            Self.environment
        } prepare: { aws in
            aws.keys = ["AKENV": ("secret-of-env", "token-of-env"), "AKROLE": ("secret-of-role", "token-of-role")]
            aws.roleID = "AKROLE"
        } _: { world, aws, output in
            try world.turn("delivered") { output.counters.deliveredEvents == 3 }
            #expect(aws.roles.count == 1)
            let body = String(decoding: try #require(aws.roles.first).body, as: UTF8.self)
            #expect(
                body == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Flogs"
                    + "&RoleSessionName=leat-agent&ExternalId=x%20y"
            )
            #expect(aws.roles.first?.headers["authorization"]?.contains("/eu-north-1/sts/aws4_request") == true)
            #expect(aws.events.allSatisfy { $0.headers["authorization"]?.contains("=AKROLE/") == true })
        }
    }

    @Test func aTokenOfTheClusterGivesARole() throws {
        try Self.run("Name http\nAWS_Service es\nAWS_STS_Endpoint ADDRESS") { aws, folder in
            [
                "AWS_WEB_IDENTITY_TOKEN_FILE": try folder.write("token", "jwt.of.pod\n"),
                "AWS_ROLE_ARN": "arn:aws:iam::1:role/pod", "AWS_ROLE_SESSION_NAME": "me",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.metadataAddress,
            ]
        } prepare: { aws in
            aws.keys = ["AKNODE": ("secret-of-node", "token-of-node"), "AKPOD": ("secret-of-pod", "token-of-pod")]
            aws.machineID = "AKNODE"
        } _: { world, aws, output in
            // While the role is not given, nobody takes that of the node instead.
            try world.turn("two failures") { output.counters.errors >= 2 }
            #expect(aws.metadata.isEmpty && aws.events.isEmpty)
            let reason = "\(aws.roleAddress) answers 403 to AssumeRoleWithWebIdentity: AccessDenied: not you"
            #expect(world.lines("agent.log").contains { $0.contains("no AWS credentials: \(reason)") })
            aws.roleID = "AKPOD"
            try world.turn("delivered") { output.counters.deliveredEvents == 3 }
            let request = try #require(aws.roles.last)
            #expect(request.headers["authorization"] == nil)
            let body = String(decoding: request.body, as: UTF8.self)
            #expect(body.hasSuffix("role%2Fpod&RoleSessionName=me&WebIdentityToken=jwt.of.pod"))
            #expect(aws.events.allSatisfy { $0.headers["authorization"]?.contains("=AKPOD/") == true })
        }
    }

    @Test func eventsWaitForCredentials() throws {
        try Self.run("Name opensearch") { aws, _ in
            ["AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.metadataAddress]
        } prepare: { aws in
            aws.keys = ["AK1": ("secret-one", "token-one")]
        } _: { world, aws, output in
            try world.turn("three failures") { output.counters.errors >= 3 }
            #expect(aws.events.isEmpty)
            let lines = world.lines("agent.log").filter { $0.contains("no AWS credentials: AWS_ACCESS_KEY_ID") }
            #expect((1...2).contains(lines.count), "a line for each of two workers at most: \(lines)")
            #expect(lines.first?.contains("\(aws.metadataAddress) answers 404 to GET /latest/meta-data") == true)
            aws.machineID = "AK1"
            try world.turn("delivered") { output.counters.deliveredEvents == 3 }
        }
    }

    /// AWS says what it expected to be signed, with the token; that must not reach the log.
    @Test func aRefusalIsLoggedWithoutSecrets() throws {
        let environment = Self.environment.merging(["AWS_SECRET_ACCESS_KEY": "another-secret"]) { $1 }
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let aws = try AWSWorld(world.loop)
            aws.keys = ["AKENV": ("secret-of-env", "token-of-env")]
            let agent = try world.start(Self.configuration(aws, "Name http\nAWS_Service es"), environment: environment)
            try world.turn("failures") { (agent.queues[0]?.counters.errors ?? 0) >= 2 }
            let log = world.lines("agent.log").joined()
            #expect(log.contains("the server answers 403: {\"message\":\"signature does not match"))
            for secret in aws.secrets + ["another-secret"] { #expect(!log.contains(secret), "\(log)") }
            agent.stop()
            aws.close()
        }
    }

    /// Whoever does not check the server of events still gets no credentials from a stranger.
    @Test(
        .enabled(if: access("/usr/bin/openssl", X_OK) == 0, "openssl is not installed"),
        arguments: [(keys: "tls.ca_file", isTrusted: true), (keys: "tls.verify Off", isTrusted: false)]
    )
    func rolesComeFromAServerThatIsChecked(keys: String, isTrusted: Bool) throws {
        try withTemporaryFolder { folder in
            try TLSTests.makeCertificates(folder)
            let world = try AgentWorld(folder)
            var options = TLSOptions()
            (options.certificateFile, options.keyFile) = (folder.path("server.pem"), folder.path("server.key"))
            let aws = try AWSWorld(world.loop, tls: try TLSServer(options))
            aws.keys = ["AKPOD": ("secret-of-pod", "token-of-pod")]
            aws.roleID = "AKPOD"
            let tls = "tls On\n\(isTrusted ? "\(keys) \(folder.path("ca.pem"))" : keys)"
            let agent = try world.start(
                Self.configuration(aws, "Name es\n\(tls)\nAWS_STS_Endpoint \(aws.roleAddress)"),
                environment: [
                    "AWS_WEB_IDENTITY_TOKEN_FILE": try folder.write("token", "jwt"),
                    "AWS_ROLE_ARN": "arn:aws:iam::1:role/p",
                ]
            )
            let counters = try #require(agent.queues[0]?.counters)
            try world.turn("an end") { isTrusted ? counters.deliveredEvents == 3 : counters.errors >= 2 }
            #expect(aws.faults == [] && aws.events.isEmpty != isTrusted && aws.roles.isEmpty != isTrusted)
            let log = world.lines("agent.log").joined()
            #expect(log.contains("no AWS credentials: \(aws.roleAddress): ") != isTrusted, "\(log)")
            #expect(log.contains("certificate") != isTrusted)
            agent.stop()
            aws.close()
        }
    }

    /// Services that answer 400 to an old token do not make dead letters of events.
    @Test func anOldTokenIsNoFaultOfTheEvents() throws {
        let credentials = try #require(
            AWSCredentials(accessKeyID: "AKENV", secretAccessKey: "a-secret", sessionToken: "a-token-")
        )
        let surroundings = AWSSurroundings(
            variables: [:],
            files: PosixFileSystem(),
            tls: try TLSClient(TLSOptions()),
            loop: try EventLoop(time: ManualTime())
        )
        let settings = AWSSettings(
            region: "r",
            service: "logs",
            profile: nil,
            role: nil,
            externalID: nil,
            tokenService: try #require(WebAddress("https://127.0.0.1")),
            tls: TLSOptions()
        )
        let signer = AWSSigner(settings, surroundings)
        var request = HTTPRequest()
        #expect(signer.refusal(of: request, status: 403, text: "x") == nil)
        request.signature = SignatureV4(credentials: credentials, region: "r", service: "logs")
        let old = #"{"__type":"ExpiredTokenException"}"#
        #expect(signer.refusal(of: request, status: 400, text: old) == "the server answers 400: \(old)")
        #expect(signer.refusal(of: request, status: 400, text: "mapper_parsing_exception") == nil)
        #expect(signer.refusal(of: request, status: 403, text: "no rights") == "the server answers 403: no rights")
        #expect(signer.refusal(of: request, status: 503, text: old) == nil)
    }
}
