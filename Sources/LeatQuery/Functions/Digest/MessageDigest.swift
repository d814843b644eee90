/// MD5, SHA-1 and SHA-2, as RFC 1321 and FIPS 180-4 have them.
///
/// For `crypto:` functions and flow hashes, where speed is bounded by distinct values; nothing here protects secrets.
enum MessageDigest {
    static func md5(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
        let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
        for block in Self.blocks(message, size: 64, isBigEndian: false) {
            let words = (0..<16).map { Self.word(block, $0 * 4, isBigEndian: false) }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            for round in 0..<64 {
                let mixed: UInt32
                let index: Int
                switch round / 16 {
                case 0: (mixed, index) = ((b & c) | (~b & d), round)
                case 1: (mixed, index) = ((d & b) | (~d & c), (5 * round + 1) % 16)
                case 2: (mixed, index) = (b ^ c ^ d, (3 * round + 5) % 16)
                default: (mixed, index) = (c ^ (b | ~d), (7 * round) % 16)
                }
                let sum = a &+ mixed &+ Self.md5Constants[round] &+ words[index]
                (a, d, c) = (d, c, b)
                b = b &+ Self.rotatedLeft(sum, by: shifts[round / 16 * 4 + round % 4])
            }
            state = zip(state, [a, b, c, d]).map { $0 &+ $1 }
        }
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32($0 * 8)) } }
    }

    static func sha1(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        for block in Self.blocks(message, size: 64, isBigEndian: true) {
            var words = (0..<16).map { Self.word(block, $0 * 4, isBigEndian: true) }
            for index in 16..<80 {
                let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16]
                words.append(Self.rotatedLeft(mixed, by: 1))
            }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for round in 0..<80 {
                let (mixed, constant): (UInt32, UInt32) =
                    switch round / 20 {
                    case 0: ((b & c) | (~b & d), 0x5A82_7999)
                    case 1: (b ^ c ^ d, 0x6ED9_EBA1)
                    case 2: ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC)
                    default: (b ^ c ^ d, 0xCA62_C1D6)
                    }
                let sum = Self.rotatedLeft(a, by: 5) &+ mixed &+ e &+ constant &+ words[round]
                (e, d, c, b, a) = (d, c, Self.rotatedLeft(b, by: 30), a, sum)
            }
            state = zip(state, [a, b, c, d, e]).map { $0 &+ $1 }
        }
        return state.flatMap { Self.bytes($0) }
    }

    static func sha256(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [
            0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
        ]
        for block in Self.blocks(message, size: 64, isBigEndian: true) {
            var words = (0..<16).map { Self.word(block, $0 * 4, isBigEndian: true) }
            for index in 16..<64 {
                let first = words[index - 15]
                let second = words[index - 2]
                let low = Self.rotatedRight(first, 7) ^ Self.rotatedRight(first, 18) ^ (first >> 3)
                let high = Self.rotatedRight(second, 17) ^ Self.rotatedRight(second, 19) ^ (second >> 10)
                words.append(words[index - 16] &+ low &+ words[index - 7] &+ high)
            }
            var work = state
            for round in 0..<64 {
                let (a, e) = (work[0], work[4])
                let high = Self.rotatedRight(e, 6) ^ Self.rotatedRight(e, 11) ^ Self.rotatedRight(e, 25)
                let choice = (e & work[5]) ^ (~e & work[6])
                let first = work[7] &+ high &+ choice &+ Self.sha256Constants[round] &+ words[round]
                let low = Self.rotatedRight(a, 2) ^ Self.rotatedRight(a, 13) ^ Self.rotatedRight(a, 22)
                let majority = (a & work[1]) ^ (a & work[2]) ^ (work[1] & work[2])
                work = [first &+ low &+ majority, a, work[1], work[2], work[3] &+ first, e, work[5], work[6]]
            }
            state = zip(state, work).map { $0 &+ $1 }
        }
        return state.flatMap { Self.bytes($0) }
    }

    // MARK: Parts

    private static let md5Constants: [UInt32] = [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
        0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
        0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
        0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
        0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
        0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
    ]

    private static let sha256Constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]

    /// The message with a one bit, zeros and its length in bits, in blocks.
    private static func blocks(_ message: [UInt8], size: Int, isBigEndian: Bool) -> [ArraySlice<UInt8>] {
        var padded = message + [0x80]
        while padded.count % size != size - 8 { padded.append(0) }
        let length = UInt64(message.count) * 8
        for index in 0..<8 {
            padded.append(UInt8(truncatingIfNeeded: length >> UInt64((isBigEndian ? 7 - index : index) * 8)))
        }
        return stride(from: 0, to: padded.count, by: size).map { padded[$0..<$0 + size] }
    }

    private static func word(_ block: ArraySlice<UInt8>, _ offset: Int, isBigEndian: Bool) -> UInt32 {
        var word: UInt32 = 0
        for index in 0..<4 {
            word |= UInt32(block[block.startIndex + offset + index]) << UInt32((isBigEndian ? 3 - index : index) * 8)
        }
        return word
    }

    private static func bytes(_ word: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32((3 - $0) * 8)) }
    }

    private static func rotatedLeft(_ word: UInt32, by count: UInt32) -> UInt32 {
        (word << count) | (word >> (32 - count))
    }

    private static func rotatedRight(_ word: UInt32, _ count: UInt32) -> UInt32 {
        (word >> count) | (word << (32 - count))
    }
}
