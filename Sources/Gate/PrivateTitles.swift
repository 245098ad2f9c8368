// SPDX-License-Identifier: Apache-2.0

/// The words by which browsers mark private windows in the title.
enum PrivateTitles {
    /// Parts of titles in the browsers' languages; case is ignored.
    ///
    /// All that Firefox 153 writes are included: 73 of its 103 languages have words of their own,
    /// and the others use the English ones. Chromium 156 marks no window. Its words here are the
    /// titles of the start page of a new incognito tab, which disappear with the next page.
    static let all = [
        // en, and what other browsers reportedly write
        "private browsing", "privatebrowsing", "(private)", "private window", "private mode",
        "private tab", "incognito", "inprivate",
        // de, dsb, hsb, nl, fy, da, nb, nn, sv, is
        "inkognito", "privater modus", "privates fenster", "priwatny modus", "privénavigatie",
        "privénavigeren", "privévenster", "priveenavigaasje", "privat browsing", "privat vindue",
        "privat nettlesing", "privat surfning", "privat läge", "privat fönster", "huliðsvafur",
        // fr, oc, ca, es, gl, pt, it, fur, lij, sc, rm, ro, ia, eo
        "navigation privée", "navegacion privada", "navegació privada", "d'incògnit",
        "navegación privada", "incógnito", "navegação privada", "navegação privativa",
        "navegação anónima", "separador anónimo", "navegação anônima", "guia anônima",
        "navigazione anonima", "navigazione privata", "navigazion privade", "navegaçion privâ",
        "navigatzione privada", "modus privat", "navigare privată", "navegare privată",
        "navigation private", "privata retumo",
        // br, cy, gd, eu, sq
        "merdeiñ prevez", "pori preifat", "brabhsadh prìobhaideach", "nabigatze pribatua",
        "shfletim privat",
        // pl, cs, sk, sl, hr, bs, lv, hu, fi, et
        "tryb prywatny", "przeglądanie prywatne", "prywatne okno", "anonymní prohlížení",
        "anonymní karta", "anonymní režim", "soukromé prohlížení", "súkromné prehliadanie",
        "zasebno brskanje", "privatno pregledavanje", "anonimna kartica", "privatno pregledanje",
        "privatno pretraživanje", "privātā pārlūkošana", "privát böngészés", "inkognitó",
        "yksityinen selaus", "privaatne veebilehitsemine",
        // ru, be, uk, sr, bg, kk, tg
        "инкогнито", "приватный просмотр", "приватное окно", "прыватнае агляданне", "інкогніто",
        "приватний перегляд", "анонімна вкладка", "приватно прегледање", "картица без архивира",
        "поверително сърфиране", "жекелік шолу", "тамошобинии хусусии", "тамошобинии махфӣ",
        // tr, az, el, hy, ka
        "gizli gezinti", "gizli pencere", "gizli sekme", "məxfi səyahət", "ιδιωτική περιήγηση",
        "ανώνυμης περιήγησης", "ανώνυμη περιήγηση", "գաղտնի դիտարկում", "პირადი თვალიერება",
        // he, ar, fa, ur, skr, am, kab
        "גלישה פרטית", "כרטיסייה פרטית", "التصفح الخاص", "تصفح خاص", "للتصفح المتخفي",
        "مرور ناشناس", "زبانه ناشناس", "پوشیدگی ٹیب", "نجی براؤزنگ", "ማንነት የማያሳውቅ ትር",
        "tunigin tusligt",
        // hi, mr, bn, pa, gu, ta, te, kn, ml, sat
        "गुप्त टैब", "निजी ब्राउज़िंग", "गुप्त टॅब", "ব্যক্তিগত ব্রাউজিং", "ছদ্মবেশী ট্যাব",
        "ਪ੍ਰਾਈਵੇਟ ਬਰਾਊਜ਼ਿੰਗ", "છૂપું ટૅબ", "மறைநிலைத் தாவல்", "ఆంతరంగిక విహారణ",
        "అంతరంగిక విహరణ", "అజ్ఞాత ట్యాబ్", "ಅದೃಶ್ಯ ಟ್ಯಾಬ್", "ആൾമാറാട്ട ടാബ്", "ᱯᱨᱟᱭᱣᱮᱴ ᱵᱽᱨᱟᱣᱩᱡᱤᱝ",
        // ja, ko, zh
        "プライベートブラウジング", "プライベート ブラウジング", "プライベートウィンドウ",
        "シークレット タブ", "シークレット モード", "사생활 보호 모드", "시크릿 탭", "시크릿 모드",
        "隐私浏览", "隐私窗口", "无痕式", "无痕模式", "无痕窗口", "隱私瀏覽", "隱私視窗",
        "無痕分頁", "無痕模式", "無痕視窗",
        // th, vi, id, ms, sw, gn, cak
        "การเรียกดูแบบส่วนตัว", "การท่องเว็บแบบส่วนตัว", "แท็บที่ไม่ระบุตัวตน", "duyệt riêng tư",
        "duyệt web riêng tư", "thẻ ẩn danh", "meramban privat", "penjelajahan pribadi",
        "tab samaran", "pelayaran peribadi", "kichupo fiche", "kundaha ñemi",
        "ichinan okem pa k'amaya'l",
    ]
}
