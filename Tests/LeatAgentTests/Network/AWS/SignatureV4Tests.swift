import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Signature Version 4 against the test suite that AWS publishes for it.
struct SignatureV4Tests {
    private static let token =
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8"
        + "YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6"
        + "q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJ"
        + "abIQwj2ICCR/oLxBA=="

    /// A request of the suite, without the headers that all have, and the signature that AWS gives.
    struct Vector: CustomTestStringConvertible {
        let name: String
        var method = "GET"
        var path = "/"
        var headers: [(name: String, value: String)] = []
        var body = ""
        let names: String
        let signature: String
        var testDescription: String { self.name }
    }

    private static let unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    private static let usual = "host;x-amz-date"

    static let vectors: [Vector] = [
        Vector(
            name: "get-vanilla",
            names: usual,
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        Vector(
            name: "get-vanilla-query-order-key-case",
            path: "/?Param2=value2&Param1=value1",
            names: usual,
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        Vector(
            name: "get-vanilla-query-order-key",
            path: "/?Param1=value2&Param1=Value1",
            names: usual,
            signature: "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"
        ),
        Vector(
            name: "get-vanilla-query-order-value",
            path: "/?Param1=value2&Param1=value1",
            names: usual,
            signature: "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"
        ),
        Vector(
            name: "get-vanilla-query-unreserved",
            path: "/?\(unreserved)=\(unreserved)",
            names: usual,
            signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"
        ),
        Vector(
            name: "get-vanilla-utf8-query",
            path: "/?ሴ=bar",
            names: usual,
            signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"
        ),
        Vector(
            name: "get-unreserved",
            path: "/\(unreserved)",
            names: usual,
            signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"
        ),
        Vector(
            name: "get-utf8",
            path: "/ሴ",
            names: usual,
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"
        ),
        Vector(
            name: "get-relative-relative",
            path: "/example1/example2/../..",
            names: usual,
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        Vector(
            name: "get-slashes",
            path: "//example//",
            names: usual,
            signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"
        ),
        Vector(
            name: "get-slash-pointless-dot",
            path: "/./example",
            names: usual,
            signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"
        ),
        Vector(
            name: "get-space",
            path: "/example space/",
            names: usual,
            signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"
        ),
        Vector(
            name: "get-header-value-trim",
            headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            names: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        ),
        Vector(
            name: "get-header-key-duplicate",
            headers: [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
            names: "host;my-header1;x-amz-date",
            signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
        ),
        Vector(
            name: "post-vanilla",
            method: "POST",
            names: usual,
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        ),
        Vector(
            name: "post-vanilla-query",
            method: "POST",
            path: "/?Param1=value1",
            names: usual,
            signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"
        ),
        Vector(
            name: "post-header-value-case",
            method: "POST",
            headers: [("My-Header1", "VALUE1")],
            names: "host;my-header1;x-amz-date",
            signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"
        ),
        Vector(
            name: "post-x-www-form-urlencoded",
            method: "POST",
            headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: "Param1=value1",
            names: "content-type;host;x-amz-date",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        ),
        Vector(
            name: "post-sts-header-before",
            method: "POST",
            headers: [("X-Amz-Security-Token", token)],
            names: "host;x-amz-date;x-amz-security-token",
            signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
        ),
    ]

    private static func signer(token: String? = nil, service: String = "service") throws -> SignatureV4 {
        let credentials = try #require(
            AWSCredentials(
                accessKeyID: "AKIDEXAMPLE",
                secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                sessionToken: token
            )
        )
        return SignatureV4(credentials: credentials, region: "us-east-1", service: service)
    }

    @Test(arguments: vectors)
    func signsAsAWSDoes(vector: Vector) throws {
        let proof = try Self.signer().authorization(
            method: vector.method,
            path: vector.path,
            headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")] + vector.headers,
            digest: SHA256.hexadecimal(Array(vector.body.utf8)),
            date: "20150830T123600Z"
        )
        #expect(
            proof == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=\(vector.names), Signature=\(vector.signature)"
        )
    }

    @Test func aRequestGetsTheHeadersOfItsMoment() throws {
        var request = HTTPRequest(path: "/_bulk?a=b")
        request.headers = [("User-Agent", "x"), ("Content-Type", "text/plain"), ("X-Amz-Thing", "1")]
        let time = try #require(TimestampParser.parse("2015-08-30T12:36:00.987Z"))
        let headers = try Self.signer(token: "tok").headers(for: request, host: "h:1", body: [], now: time)
        let values = Dictionary(uniqueKeysWithValues: headers)
        #expect(headers.map(\.name) == ["X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "Authorization"])
        #expect(values["X-Amz-Date"] == "20150830T123600Z" && values["X-Amz-Security-Token"] == "tok")
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(values["X-Amz-Content-Sha256"] == empty)
        let signed = "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-thing"
        #expect(values["Authorization"]?.contains("SignedHeaders=\(signed), ") == true)
    }

    /// Paths of `s3` are signed as they are sent, those of all other services once more escaped.
    @Test func pathsOfObjectsAreSignedAsSent() throws {
        func proof(_ service: String, _ path: String) throws -> String {
            try Self.signer(service: service)
                .authorization(method: "PUT", path: path, headers: [], digest: "", date: "20150830T123600Z")
        }
        #expect(try proof("s3", "/a%2Fb") == proof("s3", "/a/b"))
        #expect(try proof("s3", "/a//b") != proof("s3", "/a/b"))
        #expect(try proof("es", "/a//b") == proof("es", "/a/b"))
        #expect(try proof("es", "/a%20b") != proof("es", "/a b"))
    }

    static let hosts: [(host: String, port: Int, isEncrypted: Bool, header: String)] = [
        ("a.example", 443, true, "a.example"), ("a.example", 80, false, "a.example"),
        ("a.example", 443, false, "a.example:443"), ("a.example", 9_200, true, "a.example:9200"),
        ("::1", 443, true, "[::1]"), ("::1", 9_200, false, "[::1]:9200"),
    ]

    @Test(arguments: hosts)
    func aHostHasAPortUnlessItIsTheUsualOne(host: String, port: Int, isEncrypted: Bool, header: String) {
        #expect(Endpoint(host: host, port: port).hostHeader(isEncrypted: isEncrypted) == header)
    }

    @Test func escapesAreReadAndWritten() {
        #expect(PercentEncoding.decoded("a%20b%zz%C3%A4%4") == Array("a b%zzä%4".utf8))
        #expect(PercentEncoding.encoded("/a b/ä*".utf8, keeping: UInt8(ascii: "/")) == "/a%20b/%C3%A4%2A")
    }
}
