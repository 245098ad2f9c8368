// SPDX-License-Identifier: Apache-2.0

/// The words by which browsers mark a private window in its title.
enum PrivateTitles {
    /// Parts of titles, in the languages the browsers ship; case does not matter.
    ///
    /// Firefox appends them to its name (“— Mozilla Firefox Private Browsing”); Chromium and those
    /// made from it append “(Incognito)” or “(InPrivate)” to theirs where they mark the title at all.
    static let all = [
        "private browsing", "privatebrowsing", "(private)", "private window", "private mode",
        "incognito", "inprivate", "private tab",
        // de, nl, sv, da, nb
        "privater modus", "privates fenster", "privates surfen", "inkognito",
        "privénavigatie", "privénavigeren", "privévenster", "privat surfning", "privat läge",
        "privat browsing", "privat nettlesing", "privat fönster", "privat vindue",
        // fr, es, pt, it, ca, ro
        "navigation privée", "navegación privada", "navegação privada", "navegação privativa",
        "navegação anónima", "navigazione anonima", "navigazione privata", "navegació privada",
        "anónima", "anônima", "de incógnito", "navegare privată", "navigare privată",
        // pl, cs, sk, hu, fi, et, tr
        "tryb prywatny", "przeglądanie prywatne", "prywatne okno", "anonymní režim",
        "anonymní prohlížení", "soukromé prohlížení", "súkromné prehliadanie",
        "privát böngészés", "inkognitó", "yksityinen selaus", "privaatne", "gizli gezinti",
        "gizli pencere", "gizli sekme",
        // ru, uk, bg, el, he, ar
        "приватный просмотр", "приватное окно", "инкогнито", "приватний перегляд", "інкогніто",
        "поверително сърфиране", "ιδιωτική περιήγηση", "ανώνυμη περιήγηση", "גלישה פרטית",
        "התצוגה הפרטית", "التصفح الخاص", "تصفح خاص",
        // ja, ko, zh, th, vi, id, hi
        "プライベートブラウジング", "プライベート ブラウジング", "プライベートウィンドウ", "シークレット",
        "사생활 보호 모드", "사생활 보호", "시크릿", "隐私浏览", "隱私瀏覽", "隐私窗口", "隱私視窗",
        "无痕", "無痕", "無痕式", "การเรียกดูแบบส่วนตัว", "การท่องเว็บแบบส่วนตัว", "duyệt riêng tư",
        "duyệt web riêng tư", "ẩn danh", "penjelajahan pribadi", "penyamaran", "निजी ब्राउज़िंग",
    ]
}
