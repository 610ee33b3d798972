"""Kinds of move in a trace, and a plain title of each in the languages we know.

They are for steps in which no better title is found.
"""

import re
from typing import Literal, get_args

from gateway.summaries.languages import primary

Move = Literal["restating", "planning", "calculating", "checking", "comparing", "deciding", "code", "thinking"]
MOVES: tuple[Move, ...] = get_args(Move)
_TABLE = (
    "en Restating the question|Planning the approach|Working out the numbers|Checking the result"
    "|Comparing the options|Reaching a decision|Writing the code|Thinking further\n"
    "de Aufgabe klären|Vorgehen planen|Zahlen ausrechnen|Ergebnis prüfen"
    "|Möglichkeiten vergleichen|Entscheidung treffen|Code schreiben|Weiter überlegen\n"
    "es Aclarar la pregunta|Planificar el enfoque|Hacer los cálculos|Comprobar el resultado"
    "|Comparar las opciones|Tomar una decisión|Escribir el código|Seguir razonando\n"
    "fr Reformuler la question|Planifier l'approche|Faire les calculs|Vérifier le résultat"
    "|Comparer les options|Prendre une décision|Écrire le code|Poursuivre la réflexion\n"
    "it Riformulare la domanda|Pianificare l'approccio|Fare i calcoli|Verificare il risultato"
    "|Confrontare le opzioni|Prendere una decisione|Scrivere il codice|Proseguire il ragionamento\n"
    "pt Esclarecer a pergunta|Planejar a abordagem|Fazer os cálculos|Verificar o resultado"
    "|Comparar as opções|Tomar uma decisão|Escrever o código|Continuar o raciocínio\n"
    "nl De vraag verduidelijken|De aanpak plannen|De berekening maken|Het resultaat controleren"
    "|De opties vergelijken|Een beslissing nemen|De code schrijven|Verder nadenken\n"
    "pl Doprecyzowanie pytania|Planowanie podejścia|Wykonanie obliczeń|Sprawdzanie wyniku"
    "|Porównanie możliwości|Podjęcie decyzji|Pisanie kodu|Dalsze rozważania\n"
    "cs Upřesnění otázky|Plánování postupu|Provedení výpočtu|Kontrola výsledku"
    "|Porovnání možností|Přijetí rozhodnutí|Psaní kódu|Další úvahy\n"
    "sv Klargör frågan|Planerar upplägget|Gör beräkningen|Kontrollerar resultatet"
    "|Jämför alternativen|Fattar ett beslut|Skriver koden|Tänker vidare\n"
    "da Afklarer spørgsmålet|Planlægger fremgangsmåden|Laver beregningen|Kontrollerer resultatet"
    "|Sammenligner mulighederne|Træffer en beslutning|Skriver koden|Tænker videre\n"
    "no Avklarer spørsmålet|Planlegger fremgangsmåten|Gjør beregningen|Kontrollerer resultatet"
    "|Sammenligner alternativene|Tar en beslutning|Skriver koden|Tenker videre\n"
    "fi Kysymyksen tarkennus|Etenemisen suunnittelu|Laskun tekeminen|Tuloksen tarkistus"
    "|Vaihtoehtojen vertailu|Päätöksen tekeminen|Koodin kirjoittaminen|Pohdinnan jatkaminen\n"
    "hu A kérdés tisztázása|A megoldás megtervezése|A számítás elvégzése|Az eredmény ellenőrzése"
    "|A lehetőségek összevetése|A döntés meghozatala|A kód megírása|További megfontolás\n"
    "ro Clarificarea întrebării|Planificarea abordării|Efectuarea calculului|Verificarea rezultatului"
    "|Compararea opțiunilor|Luarea unei decizii|Scrierea codului|Continuarea raționamentului\n"
    "tr Soruyu netleştirme|Yaklaşımı planlama|Hesabı yapma|Sonucu kontrol etme"
    "|Seçenekleri karşılaştırma|Bir karar verme|Kodu yazma|Düşünmeyi sürdürme\n"
    "el Διευκρίνιση της ερώτησης|Σχεδιασμός της λύσης|Εκτέλεση του υπολογισμού|Έλεγχος του αποτελέσματος"
    "|Σύγκριση των επιλογών|Λήψη απόφασης|Συγγραφή του κώδικα|Συνέχεια του συλλογισμού\n"
    "ru Уточнение вопроса|План решения|Выполнение вычислений|Проверка результата"
    "|Сравнение вариантов|Принятие решения|Написание кода|Дальнейшие размышления\n"
    "uk Уточнення запитання|План розв'язання|Виконання обчислень|Перевірка результату"
    "|Порівняння варіантів|Ухвалення рішення|Написання коду|Подальші міркування\n"
    "ar توضيح السؤال|تخطيط الحل|إجراء الحساب|التحقق من النتيجة"
    "|مقارنة الخيارات|اتخاذ القرار|كتابة الشيفرة|متابعة التفكير\n"
    "he הבהרת השאלה|תכנון הפתרון|ביצוע החישוב|בדיקת התוצאה"
    "|השוואת האפשרויות|קבלת החלטה|כתיבת הקוד|המשך החשיבה\n"
    "fa روشن کردن پرسش|برنامه‌ریزی راه‌حل|انجام محاسبه|بررسی نتیجه"
    "|مقایسهٔ گزینه‌ها|گرفتن تصمیم|نوشتن کد|ادامهٔ اندیشیدن\n"
    "hi प्रश्न को स्पष्ट करना|तरीके की योजना|गणना करना|परिणाम की जाँच"
    "|विकल्पों की तुलना|निर्णय लेना|कोड लिखना|आगे विचार करना\n"
    "bn প্রশ্ন স্পষ্ট করা|পদ্ধতির পরিকল্পনা|গণনা করা|ফলাফল যাচাই"
    "|বিকল্পের তুলনা|সিদ্ধান্ত নেওয়া|কোড লেখা|আরও চিন্তা করা\n"
    "th ทำความเข้าใจคำถาม|วางแผนวิธีทำ|คำนวณหาคำตอบ|ตรวจสอบผลลัพธ์"
    "|เปรียบเทียบตัวเลือก|ตัดสินใจ|เขียนโค้ด|คิดต่อ\n"
    "vi Làm rõ câu hỏi|Lập kế hoạch giải|Tính toán kết quả|Kiểm tra kết quả"
    "|So sánh các lựa chọn|Đưa ra quyết định|Viết mã|Suy nghĩ thêm\n"
    "id Memperjelas pertanyaan|Merencanakan pendekatan|Menghitung hasilnya|Memeriksa hasil"
    "|Membandingkan pilihan|Mengambil keputusan|Menulis kode|Memikirkan lebih lanjut\n"
    "zh 梳理问题|规划思路|进行计算|检查结果"
    "|比较各个选项|做出决定|编写代码|继续思考\n"
    "ja 問題の整理|方針の検討|計算の実行|結果の確認"
    "|選択肢の比較|結論の決定|コードの作成|考察の続き\n"
    "ko 질문 정리|풀이 계획|계산 수행|결과 확인"
    "|선택지 비교|결론 내리기|코드 작성|이어서 생각하기"
)
_TITLES = {line[:2]: line[3:].split("|") for line in _TABLE.splitlines()}
_SIGNS: dict[Move, re.Pattern[str]] = {
    "checking": re.compile(
        r"\b(?:check|verif|wait|correct|mistake|wrong|re-?read|prüf|stimmt|comprob|verific|vérifi|controll)\w*|检查"
        r"|确认|验证|不对|等等|確認|検証|확인|провер",
        re.IGNORECASE,
    ),
    "comparing": re.compile(
        r"\b(?:compar|versus|vs|option|alternativ|whereas|than|either|vergleich|opci|better|besser|mejor|mieux)\w*"
        r"|比较|选项|相比|比較|選択肢|비교|сравн",
        re.IGNORECASE,
    ),
    "deciding": re.compile(
        r"\b(?:therefore|final|answer|conclu|decid|thus|recommend|daher|antwort|respuesta|réponse|entscheid)\w*|因此"
        r"|答案|结论|决定|結論|答え|したがって|결론|ответ",
        re.IGNORECASE,
    ),
    "planning": re.compile(
        r"\b(?:need to|should|plan|first|next|step|approach|strategy|zuerst|schritt|primero|paso|d'abord|étape)\b"
        r"|首先|接下来|步骤|需要|まず|次に|手順|먼저|сначала",
        re.IGNORECASE,
    ),
    "restating": re.compile(
        r"\b(?:user|question|asks?|asked|problem|given|prompt|frage|aufgabe|pregunta|problema|question)\b|用户|问题"
        r"|题目|問題|質問|질문|вопрос|задач",
        re.IGNORECASE,
    ),
    "calculating": re.compile(r"\d\s?[=+×*/÷^≈-]\s?\d|=\s?-?\d|%"),
}
_WEIGHTS: dict[Move, float] = {"calculating": 1.5, "deciding": 1.3, "comparing": 0.8, "planning": 0.7, "restating": 0.7}
CODE_SHARE = 0.5
FAINT = 0.1
"""Less than any sign of a move weighs."""


def moves_of(text: str, code_characters: int, first: bool = False) -> list[Move]:
    """Return the kinds of move of a step, the likeliest first; before those of which it has no sign, plain thinking.

    `first` is True for the first step of a trace.
    """
    if code_characters > CODE_SHARE * len(text):
        return ["code", "checking", "planning"]
    scores = {move: len(sign.findall(text)) * _WEIGHTS.get(move, 1.0) for move, sign in _SIGNS.items()}
    scores["restating"] += 2.0 * first
    scores["thinking"] = FAINT
    return sorted(scores, key=lambda move: -scores[move])


def titles_of(moves: list[Move], tag: str) -> list[str]:
    """Return the plain titles of moves in a language, in English if we do not have it."""
    language = primary(tag)
    titles = _TITLES.get("no" if language in ("nb", "nn") else language, _TITLES["en"])
    return [titles[MOVES.index(move)] for move in moves]


def is_move_title(title: str) -> bool:
    """Return True if the title is one of the plain ones."""
    return any(title in titles for titles in _TITLES.values())
