import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Credentials as files, services and metadata have them, and the keys that ask for them.
struct AWSCredentialTests {
    @Test func credentialsAreReadFromAnswers() throws {
        let json =
            #"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"s/+=","Token":"t","Expiration":"2015-08-30T12:36:00Z"}"#
        let xml = """
            <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
            <AccessKeyId>A</AccessKeyId><SecretAccessKey>s/+=</SecretAccessKey><SessionToken>t</SessionToken>
            <Expiration>2015-08-30T12:36:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
            """
        let expected = AWSCredentials(
            accessKeyID: "A",
            secretAccessKey: "s/+=",
            sessionToken: "t",
            expiration: TimestampParser.parse("2015-08-30T12:36:00Z")
        )
        #expect(expected != nil)
        #expect(AWSCredentials(json: Array(json.utf8)) == expected)
        #expect(AWSCredentials(xml: Array(xml.utf8)) == expected)
    }

    @Test(arguments: [
        "", "{}", "not JSON", #"{"AccessKeyId":"A"}"#, #"{"AccessKeyId":"A","SecretAccessKey":""}"#,
        #"{"AccessKeyId":"A\r\nX: y","SecretAccessKey":"s"}"#, "<AccessKeyId>A</AccessKeyId>",
        "<AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken></SessionToken>",
    ])
    func halfAnAnswerHasNone(text: String) {
        #expect(AWSCredentials(json: Array(text.utf8)) == nil)
        #expect(AWSCredentials(xml: Array(text.utf8)) == nil)
    }

    @Test func secretsStayOutOfMessages() throws {
        let credentials = try #require(
            AWSCredentials(accessKeyID: "AKID", secretAccessKey: "secretsecret", sessionToken: "tokentoken")
        )
        #expect("\(credentials)" == "•••")
        #expect(credentials.redacting("x-amz-security-token:tokentok") == "x-amz-security-token:•••")
        #expect(credentials.redacting("expired") == "expired")
    }

    private static let file = """
        # a comment
        [default]
        aws_access_key_id = AKDEFAULT
        aws_secret_access_key=sd

        [work]
        AWS_Access_Key_ID =  AKWORK
        aws_secret_access_key = s=w
        s3 =
          region = nested
        [profile work]
        aws_access_key_id = AKOTHER
        """

    static let profiles: [(name: String, isConfiguration: Bool, keys: [String: String]?)] = [
        ("default", false, ["aws_access_key_id": "AKDEFAULT", "aws_secret_access_key": "sd"]),
        ("default", true, ["aws_access_key_id": "AKDEFAULT", "aws_secret_access_key": "sd"]),
        ("work", false, ["aws_access_key_id": "AKWORK", "aws_secret_access_key": "s=w", "s3": ""]),
        ("work", true, ["aws_access_key_id": "AKOTHER"]), ("other", false, nil),
    ]

    @Test(arguments: profiles)
    func aProfileHasItsOwnKeys(name: String, isConfiguration: Bool, keys: [String: String]?) {
        #expect(ProfileCredentials.keys(of: name, in: Self.file, isConfiguration: isConfiguration) == keys)
    }

    /// What a chain without network finds, as text.
    private static func find(
        _ variables: [String: String],
        profile: String? = nil,
        _ folder: TemporaryFolder
    ) throws -> String {
        let surroundings = AWSSurroundings(
            variables: variables.merging(["HOME": folder.path, "AWS_EC2_METADATA_DISABLED": "true"]) { $1 },
            files: PosixFileSystem(),
            tls: try TLSClient(TLSOptions()),
            loop: try EventLoop(time: SystemTime())
        )
        let settings = AWSSettings(
            region: "r",
            service: "es",
            profile: profile,
            role: nil,
            externalID: nil,
            tokenService: try #require(WebAddress("http://127.0.0.1:1")),
            tls: TLSOptions()
        )
        var found = "nothing"
        surroundings.chain(settings).fetch { answer in
            switch answer {
            case .found(let credentials):
                found = "\(credentials.accessKeyID) \(credentials.secretAccessKey) \(credentials.sessionToken ?? "-")"
            case .absent(let reason): found = "absent: \(reason)"
            case .failed(let reason): found = "failed: \(reason)"
            }
        }
        return found.replacing(folder.path, with: "~")
    }

    @Test func placesAreAskedInOrder() throws {
        let folder = try TemporaryFolder()
        let environment = ["AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "se"]
        let nothing = try Self.find([:], folder)
        #expect(nothing.hasPrefix("absent: AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set; "))
        for place in [
            "~/.aws/credentials", "~/.aws/config", "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_EC2_METADATA_DISABLED",
        ] {
            #expect(nothing.contains(place))
        }
        try folder.write(".aws/credentials", Self.file)
        try folder.write(
            ".aws/config",
            """
            [profile inline]
            aws_access_key_id = AKCONFIG
            aws_secret_access_key = sc
            aws_session_token = tc
            [profile program]
            credential_process = /bin/true
            [profile role]
            role_arn = arn:aws:iam::1:role/r
            source_profile = default
            """
        )
        #expect(try Self.find([:], folder) == "AKDEFAULT sd -")
        #expect(try Self.find(["AWS_PROFILE": "work"], folder) == "AKWORK s=w -")
        #expect(try Self.find(["AWS_DEFAULT_PROFILE": "work"], folder) == "AKWORK s=w -")
        #expect(try Self.find(["AWS_PROFILE": "work"], profile: "inline", folder) == "AKCONFIG sc tc")
        #expect(try Self.find(environment, profile: "inline", folder) == "AKENV se -")
        #expect(try Self.find(environment.merging(["AWS_SESSION_TOKEN": "te"]) { $1 }, folder) == "AKENV se te")
        let program = try Self.find([:], profile: "program", folder)
        #expect(program.hasPrefix("failed: credential_process of the profile 'program' is not supported"))
        let role = try Self.find([:], profile: "role", folder)
        #expect(role == "failed: role_arn of the profile 'role' is not supported; set aws_role_arn instead")
        #expect(try Self.find([:], profile: "none", folder).contains("no profile 'none' in ~/.aws/credentials"))
    }

    @Test(arguments: ["http://example.com/x", "ftp://127.0.0.1/x", "x"])
    func tokensOfAContainerGoToNobodyElse(address: String) throws {
        let folder = try TemporaryFolder()
        let found = try Self.find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": address], folder)
        #expect(found.hasPrefix("failed: AWS_CONTAINER_CREDENTIALS_FULL_URI is no address of"))
    }

    static let mistakes: [(keys: String, place: String, problem: String)] = [
        ("Name es", ":3:", "aws_auth needs aws_region"),
        ("Name http\nAWS_Region eu-north-1", ":3:", "aws_auth needs aws_service"),
        ("Name es\nAWS_Region eu-north-1\nHTTP_User u", ":5:", "aws_auth and http_user exclude each other"),
        ("Name es\nAWS_Region eu-north-1\nHTTP_API_Key u", ":5:", "aws_auth and http_api_key exclude each other"),
        (
            "Name http\nAWS_Region r\nAWS_Service s\nHeader authorization x", ":6:",
            "aws_auth and a header Authorization exclude each other"
        ),
        ("Name opensearch\nAWS_Region eu.north", ":4:", "'eu.north' is no aws_region"),
        ("Name es\nAWS_Region r\nAWS_Role_ARN logs", ":5:", "'logs' is no ARN"),
        ("Name es\nAWS_Region r\nAWS_STS_Endpoint ftp://x", ":5:", "'ftp://x' is no address"),
    ]

    @Test(arguments: mistakes)
    func wrongKeysAreNamedWithTheirPlace(keys: String, place: String, problem: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let lines = keys.split(separator: "\n", maxSplits: 1).map(String.init)
            let text = ["[OUTPUT]", lines[0], "AWS_Auth On"] + lines.dropFirst() + ["Match *"]
            let found = try world.problems(of: text.joined(separator: "\n"))
            #expect(found.contains(problem) && found.contains(place), "\(found)")
        }
    }

    static let services: [(keys: String, service: String, address: String)] = [
        ("Name es\nAWS_Region eu-north-1", "es", "sts.eu-north-1.amazonaws.com"),
        ("Name opensearch\nAWS_Region cn-north-1\nAWS_Service_Name aoss", "aoss", "sts.cn-north-1.amazonaws.com.cn"),
        ("Name http\nAWS_Region r\nAWS_Service lambda\nAWS_STS_Endpoint sts.example", "lambda", "sts.example"),
        ("Name opentelemetry\nAWS_Region r\nAWS_STS_Endpoint https://sts.example", "logs", "sts.example"),
    ]

    @Test(arguments: services)
    func keysSayWhatToSignFor(keys: String, service: String, address: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("agent.conf", "[OUTPUT]\nAWS_Auth On\nMatch *\n\(keys)\n")
        let configuration = try ConfigurationReader(files: PosixFileSystem(), environment: [:]).read(path: path)
        let output = try #require(configuration.outputs.first)
        let settings = try #require(try AWSSettings(output.settings))
        #expect(settings.service == service)
        #expect(settings.tokenService.host == address && settings.tokenService.port == 443)
        #expect(settings.tokenService.isEncrypted)
    }
}
