// SPDX-License-Identifier: Apache-2.0

package import System

/// The file of the recorder's signing key, beside the ring.
package enum DeviceKeyFile {
    /// Reads the key; nil when there is none, it cannot be understood, or others can change it.
    package static func read(_ path: String) -> DeviceKey? {
        guard let bytes = try? Disk.readOwn(path, limit: 128) else { return nil }
        return DeviceKey(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
    }

    /// Reads the key, or makes one where there is none; two that do so at once get the same.
    ///
    /// A file that cannot be understood is kept beside the new one.
    ///
    /// - Throws: ``FileError`` when a new one cannot be written, or what is there is not trusted: it
    ///   may be the right key with the wrong mode.
    package static func readOrMake(_ path: String) throws(FileError) -> DeviceKey {
        if let key = read(path) { return key }
        guard let lock = try FileLock.take(path + ".lock", patience: 1000) else {
            throw FileError.locked
        }
        defer { _ = lock }
        if let key = read(path) { return key }
        // This throws: nothing that is not trusted is set aside and replaced.
        if OwnPath.fault(path, .file) != nil { _ = try Disk.readOwn(path, limit: 128) }
        if Disk.exists(path) { try Disk.move(path, to: path + ".damaged") }
        let key = DeviceKey()
        try Disk.write(Array((key.secret + "\n").utf8), to: path)
        return key
    }
}
