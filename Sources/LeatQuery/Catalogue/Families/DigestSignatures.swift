// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Digest functions.
    static let digestFunctions: [FunctionSignature] = [
        FunctionSignature(
            "base64Decode",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_base64Decode"),
                .init("charset", .string, default: "UTF-8"),
            ],
            outputs: "_base64Decode",
            summary: """
                Decodes base64, also its URL form, to text of the charset; bytes that are no text become U+FFFD.
                """
        ),
        FunctionSignature(
            "base64Encode",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_base64Encode"),
            ],
            outputs: "_base64Encode",
            summary: "Encodes as base64."
        ),
        FunctionSignature(
            "crypto:md5",
            .transformation,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("as", .field, default: "_md5"),
            ],
            outputs: "_md5",
            summary: "MD5 of the values of the fields, end to end, in lower-case hex."
        ),
        FunctionSignature(
            "crypto:sha1",
            .transformation,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("as", .field, default: "_sha1"),
            ],
            outputs: "_sha1",
            summary: "SHA-1 of the values of the fields, end to end, in lower-case hex."
        ),
        FunctionSignature(
            "crypto:sha256",
            .transformation,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("as", .field, default: "_sha256"),
            ],
            outputs: "_sha256",
            summary: "SHA-256 of the values of the fields, end to end, in lower-case hex."
        ),
        FunctionSignature(
            "hash",
            .transformation,
            [
                .init("field", .fields, unnamed: true, required: true),
                .init("as", .field, default: "_hash"),
                .init("limit", .number, in: .whole(from: 1)),
                .init("seed", .number),
            ],
            outputs: "_hash",
            summary: """
                A fast hash of the values of the fields, not fit for secrets; with limit the remainder of dividing \
                by it.
                """
        ),
        FunctionSignature(
            "hashRewrite",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("salt", .string, required: true),
                .init("as", .field),
                .init("hash", .choice(["sha256", "sha512"]), default: "sha256"),
                .init("bits", .number, default: "256"),
                .init("replaceInRawstring", .boolean, default: "true"),
            ],
            outputs: "field",
            summary: """
                Replaces a value by its salted hash, also within @rawstring, so that it can be found with \
                hashMatch() and not read.
                """
        ),
        FunctionSignature(
            "shannonEntropy",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_shannonentropy"),
            ],
            outputs: "_shannonentropy",
            summary: "Entropy of the characters of the value, in bits per character."
        ),
        FunctionSignature(
            "tokenHash",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_tokenHash"),
            ],
            outputs: "_tokenHash",
            summary: "A hash of the shape of a text: equal for texts that differ in words and numbers only."
        ),
        FunctionSignature(
            "urlDecode",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_urldecode"),
            ],
            outputs: "_urldecode",
            summary: "Decodes percent signs; a plus sign becomes a space."
        ),
        FunctionSignature(
            "urlEncode",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_urlencode"),
            ],
            outputs: "_urlencode",
            summary: "Encodes everything but letters, digits and -_.~ with percent signs."
        ),
    ]
}
