"""
汐見市, a city that does not exist: its offices and the people who work there.

Names, numbers and addresses are invented: phones begin with 000-0000, mail ends in example.jp.
"""

from datetime import time
from typing import NamedTuple

from madoguchi.staff.rules import Role

NAME = "汐見市"
KANA = "しおみし"
PHONE = "000-0000-1000"
URGENT_HELP = """こころの電話 000-0000-1010
女性と家庭の相談（配偶者からの暴力） 000-0000-1020
こども家庭センター 000-0000-1030"""
PASSWORD = "shiomi-demo-2026"  # noqa: S105  printed by bin/demo; the city is not real

TOWN_HALL = "本庁舎"
CENTRE_SITE = "市民相談センター"
BRANCH = "港町支所"

WEEKEND = (time(9), time(15))


class SiteSketch(NamedTuple):
    code: str
    name: str
    kana: str
    address: str
    phone: str
    is_always_open: bool = False


class DivisionSketch(NamedTuple):
    code: str
    name: str
    kana: str
    duties: str
    is_centre: bool = False
    is_outside: bool = False


class PersonSketch(NamedTuple):
    username: str
    name: str
    kana: str
    role: Role
    division: str
    is_contractor: bool = False


SITES = (
    SiteSketch("honcho", TOWN_HALL, "ほんちょうしゃ", "汐見市中央1丁目1番1号", "000-0000-1000"),
    SiteSketch(
        "center",
        CENTRE_SITE,
        "しみんそうだんせんたー",
        "汐見市中央1丁目2番8号 汐見プラザ2階",
        "000-0000-1100",
        is_always_open=True,
    ),
    SiteSketch("minato", BRANCH, "みなとまちししょ", "汐見市港町3丁目5番2号", "000-0000-1300"),
)

CENTRE = "市民相談センター"
NURSERY = "保育課"
SAFETY_DESK = "安心対応サポート室"

DIVISIONS = (
    DivisionSketch(
        "soudan",
        CENTRE,
        "しみんそうだんせんたー",
        "市民相談、消費生活相談、心の相談、専門相談の予約、各課との連絡調整",
        is_centre=True,
    ),
    DivisionSketch("shimin", "市民課", "しみんか", "戸籍、住民登録、印鑑登録、マイナンバーカード"),
    DivisionSketch(
        "hoken", "保険年金課", "ほけんねんきんか", "国民健康保険、後期高齢者医療、国民年金"
    ),
    DivisionSketch("nouzei", "納税課", "のうぜいか", "市税の納付、納税相談、滞納整理"),
    DivisionSketch("kaigo", "介護保険課", "かいごほけんか", "要介護認定、介護保険料、給付"),
    DivisionSketch(
        "koureishougai", "高齢・障害課", "こうれいしょうがいか", "高齢者福祉、障害福祉、手帳の交付"
    ),
    DivisionSketch(
        "hoiku", NURSERY, "ほいくか", "保育所の入所、保育料、一時預かり、認可外保育施設"
    ),
    DivisionSketch(
        "kodomo", "こども家庭課", "こどもかていか", "児童手当、ひとり親支援、児童相談、DV相談"
    ),
    DivisionSketch(
        "fukushi",
        "生活福祉課",
        "せいかつふくしか",
        "生活保護、生活困窮者の自立支援、住居確保給付金",
    ),
    DivisionSketch(
        "kankyou", "環境課", "かんきょうか", "ごみの収集、騒音、空き地、犬と猫、不法投棄"
    ),
    DivisionSketch("toshi", "都市整備課", "としせいびか", "市営住宅、空き家、建築確認、都市計画"),
    DivisionSketch(
        "douro", "道路公園センター", "どうろこうえんせんたー", "道路の穴と段差、街路灯、公園、側溝"
    ),
    DivisionSketch("shoukou", "商工課", "しょうこうか", "創業、補助金、働くことの相談"),
    DivisionSketch("gakkou", "学校教育課", "がっこうきょういくか", "就学、就学援助、いじめの相談"),
    DivisionSketch("kiki", "危機管理課", "ききかんりか", "防災、避難所、防犯、罹災証明の受付"),
    DivisionSketch("soumu", "総務課", "そうむか", "庁舎の管理、情報システム、文書、人事"),
    DivisionSketch("anshin", SAFETY_DESK, "あんしんたいおうさぽーとしつ", "窓口の同席支援"),
    DivisionSketch("kansa", "監査委員事務局", "かんさいいんじむきょく", "監査"),
    DivisionSketch(
        "shakyo",
        "汐見市社会福祉協議会",
        "しおみししゃかいふくしきょうぎかい",
        "自立相談、生活福祉資金、家計の相談",
        is_outside=True,
    ),
    DivisionSketch(
        "houkatsu",
        "汐見地域包括支援センター",
        "しおみちいきほうかつしえんせんたー",
        "高齢者の総合相談、見守り",
        is_outside=True,
    ),
    DivisionSketch(
        "bengoshi",
        "汐見法律相談会",
        "しおみほうりつそうだんかい",
        "弁護士・司法書士による専門相談",
        is_outside=True,
    ),
    DivisionSketch(
        "dvcenter",
        "しおみ配偶者暴力相談支援センター",
        "しおみはいぐうしゃぼうりょくそうだんしえんせんたー",
        "DVの相談、一時保護、自立の支援",
        is_outside=True,
    ),
    DivisionSketch(
        "yorozu",
        "しおみ経営よろず相談所",
        "しおみけいえいよろずそうだんじょ",
        "経営、創業、事業承継の相談",
        is_outside=True,
    ),
)

# (site, division, name, kind)
COUNTERS = (
    (TOWN_HALL, "総務課", "総合案内", "information"),
    (TOWN_HALL, "市民課", "1番", "desk"),
    (TOWN_HALL, "市民課", "2番", "desk"),
    (TOWN_HALL, "保険年金課", "3番", "desk"),
    (TOWN_HALL, "納税課", "4番", "desk"),
    (TOWN_HALL, NURSERY, "5番", "desk"),
    (TOWN_HALL, NURSERY, "6番", "desk"),
    (TOWN_HALL, "こども家庭課", "7番", "desk"),
    (TOWN_HALL, "生活福祉課", "8番", "desk"),
    (TOWN_HALL, "高齢・障害課", "9番", "desk"),
    (CENTRE_SITE, CENTRE, "受付", "information"),
    (CENTRE_SITE, CENTRE, "相談1番", "desk"),
    (CENTRE_SITE, CENTRE, "相談2番", "desk"),
    (CENTRE_SITE, CENTRE, "相談3番", "desk"),
    (BRANCH, "市民課", "支所窓口", "desk"),
)

# (site, name, seats)
ROOMS = (
    (CENTRE_SITE, "相談室1", 4),
    (CENTRE_SITE, "相談室2", 6),
    (CENTRE_SITE, "相談室3（キッズスペース）", 4),
    (TOWN_HALL, "面談室A", 4),
    (BRANCH, "オンライン相談室", 2),
)

# The people who sign in to try the product; each stands for one role.
LOGINS = (
    PersonSketch("uketsuke", "石田 美咲", "いしだ みさき", Role.RECEPTION, CENTRE),
    PersonSketch("soudan", "三好 恵子", "みよし けいこ", Role.COUNSELLOR, CENTRE),
    PersonSketch("shinri", "大西 葉月", "おおにし はづき", Role.PSYCHOLOGIST, CENTRE),
    PersonSketch("shohi", "村上 誠", "むらかみ まこと", Role.CONSUMER_COUNSELLOR, CENTRE),
    PersonSketch("kakari", "井上 真由", "いのうえ まゆ", Role.OFFICER, NURSERY),
    PersonSketch("kacho", "久保 直樹", "くぼ なおき", Role.SUPERVISOR, NURSERY),
    PersonSketch("center", "藤田 和夫", "ふじた かずお", Role.CENTRE_HEAD, CENTRE),
    PersonSketch("anshin", "関 勝", "せき まさる", Role.SAFETY_DESK, SAFETY_DESK, True),
    PersonSketch("kansa", "谷口 静", "たにぐち しずか", Role.AUDITOR, "監査委員事務局"),
    PersonSketch("admin", "中島 亮", "なかじま りょう", Role.ADMIN, "総務課"),
)

# The others, so that every division answers with a face.
COLLEAGUES = (
    PersonSketch("kinoshita", "木下 千代", "きのした ちよ", Role.COUNSELLOR, CENTRE),
    PersonSketch("aoki", "青木 隆", "あおき たかし", Role.COUNSELLOR, CENTRE),
    PersonSketch("shimin1", "前田 由紀", "まえだ ゆき", Role.OFFICER, "市民課"),
    PersonSketch("shimin2", "原 敏行", "はら としゆき", Role.SUPERVISOR, "市民課"),
    PersonSketch("hoken1", "川﨑 彩", "かわさき あや", Role.OFFICER, "保険年金課"),
    PersonSketch("hoken2", "永井 茂", "ながい しげる", Role.SUPERVISOR, "保険年金課"),
    PersonSketch("nouzei1", "岡 大輔", "おか だいすけ", Role.OFFICER, "納税課"),
    PersonSketch("nouzei2", "谷 洋一", "たに よういち", Role.SUPERVISOR, "納税課"),
    PersonSketch("kaigo1", "安田 文", "やすだ ふみ", Role.OFFICER, "介護保険課"),
    PersonSketch("kaigo2", "西村 達也", "にしむら たつや", Role.SUPERVISOR, "介護保険課"),
    PersonSketch("kourei1", "髙田 実", "たかだ みのる", Role.OFFICER, "高齢・障害課"),
    PersonSketch("kourei2", "清水 幸", "しみず さち", Role.SUPERVISOR, "高齢・障害課"),
    PersonSketch("hoiku2", "森下 拓", "もりした たく", Role.OFFICER, NURSERY),
    PersonSketch("kodomo1", "宮﨑 奈緒", "みやざき なお", Role.OFFICER, "こども家庭課"),
    PersonSketch("kodomo2", "浜田 徹", "はまだ とおる", Role.SUPERVISOR, "こども家庭課"),
    PersonSketch("fukushi1", "山口 剛", "やまぐち ごう", Role.OFFICER, "生活福祉課"),
    PersonSketch("fukushi2", "小川 信", "おがわ しん", Role.SUPERVISOR, "生活福祉課"),
    PersonSketch("kankyou1", "林 健吾", "はやし けんご", Role.OFFICER, "環境課"),
    PersonSketch("kankyou2", "松田 佳代", "まつだ かよ", Role.SUPERVISOR, "環境課"),
    PersonSketch("toshi1", "宮本 力", "みやもと りき", Role.OFFICER, "都市整備課"),
    PersonSketch("toshi2", "辻 智子", "つじ ともこ", Role.SUPERVISOR, "都市整備課"),
    PersonSketch("douro1", "堀 進", "ほり すすむ", Role.OFFICER, "道路公園センター"),
    PersonSketch("douro2", "秋山 典子", "あきやま のりこ", Role.SUPERVISOR, "道路公園センター"),
    PersonSketch("shoukou1", "野口 翔", "のぐち しょう", Role.OFFICER, "商工課"),
    PersonSketch("shoukou2", "今井 賢", "いまい けん", Role.SUPERVISOR, "商工課"),
    PersonSketch("gakkou1", "杉本 麻衣", "すぎもと まい", Role.OFFICER, "学校教育課"),
    PersonSketch("gakkou2", "河野 修", "こうの おさむ", Role.SUPERVISOR, "学校教育課"),
    PersonSketch("kiki1", "平田 剣", "ひらた けん", Role.OFFICER, "危機管理課"),
    PersonSketch("soumu1", "大野 涼子", "おおの りょうこ", Role.OFFICER, "総務課"),
    PersonSketch("kiki2", "斎藤 守", "さいとう まもる", Role.SUPERVISOR, "危機管理課"),
)


class ServiceSketch(NamedTuple):
    code: str
    name: str
    kana: str
    category: str
    summary: str
    minutes: int
    division: str
    counters: tuple[tuple[str, str], ...]
    bring: tuple[str, ...]
    keywords: str = ""
    stage: str = "online"


_DESKS = ((CENTRE_SITE, "相談1番"), (CENTRE_SITE, "相談2番"), (CENTRE_SITE, "相談3番"))

SERVICES = (
    ServiceSketch(
        "hoiku",
        "保育所の入所相談",
        "ほいくしょのにゅうしょそうだん",
        "子育て",
        "保育所・認定こども園の申し込み、年度途中の入所、必要な書類について相談できます。",
        30,
        NURSERY,
        (*_DESKS[:2], (TOWN_HALL, "5番"), (TOWN_HALL, "6番")),
        ("本人確認書類", "母子健康手帳", "就労証明書（あれば）", "希望する園のメモ"),
        "保育園 ほいくえん 入園 待機児童 一時預かり 保育料",
    ),
    ServiceSketch(
        "sougou",
        "市民相談（どこに聞けばよいか分からないとき）",
        "しみんそうだん",
        "相談",
        "困りごとを伺い、担当する課につなぎます。必要なときは、担当の職員が相談室へ伺います。",
        30,
        CENTRE,
        _DESKS,
        ("関係のある書類（あれば）",),
        "困りごと 苦情 総合相談 たらい回し",
    ),
    ServiceSketch(
        "shohi",
        "消費生活相談",
        "しょうひせいかつそうだん",
        "相談",
        "契約の解約、通信販売、訪問販売、架空の請求などについて相談できます。",
        45,
        CENTRE,
        _DESKS[1:],
        ("契約書や領収書", "相手とのやり取りが分かる物（画面の写真など）"),
        "クーリングオフ 詐欺 返金 定期購入 188",
    ),
    ServiceSketch(
        "houritsu",
        "相続・離婚などの相談",
        "そうぞくりこんなどのそうだん",
        "相談",
        "事情を整理し、弁護士や司法書士の専門相談につなぎます。",
        45,
        CENTRE,
        _DESKS[1:],
        ("家族の関係が分かるメモ", "関係のある書類"),
        "法律 弁護士 司法書士 遺言 お金の貸し借り",
    ),
    ServiceSketch(
        "kokoro",
        "こころの相談",
        "こころのそうだん",
        "相談",
        "心理カウンセラーがお話を伺います。家族からの相談もできます。",
        60,
        CENTRE,
        _DESKS[2:],
        (),
        "カウンセリング 不眠 ひきこもり うつ",
    ),
    ServiceSketch(
        "okuyami",
        "おくやみの手続き",
        "おくやみのてつづき",
        "届出",
        "亡くなった方に関する届出を、まとめてご案内します。",
        60,
        "市民課",
        ((CENTRE_SITE, "相談3番"), (TOWN_HALL, "2番")),
        ("届出をする方の本人確認書類", "亡くなった方の保険証・年金の書類", "相続する方の通帳"),
        "死亡 葬儀 世帯主 年金 名義",
    ),
    ServiceSketch(
        "mynumber",
        "マイナンバーカードの受け取り・更新",
        "まいなんばーかーどのうけとりこうしん",
        "届出",
        "カードの受け取り、電子証明書の更新、暗証番号の再設定ができます。",
        15,
        "市民課",
        ((TOWN_HALL, "1番"), (BRANCH, "支所窓口")),
        ("届いたはがき", "本人確認書類", "今のカード（ある方）"),
        "個人番号カード 電子証明書 暗証番号",
    ),
    ServiceSketch(
        "kokuho",
        "国民健康保険の加入・脱退",
        "こくみんけんこうほけんのかにゅうだったい",
        "保険・年金",
        "会社を辞めたとき、扶養に入ったときの届出を受け付けます。",
        30,
        "保険年金課",
        ((TOWN_HALL, "3番"),),
        ("本人確認書類", "健康保険をやめた（入った）ことの証明"),
        "健康保険 保険証 退職 扶養 軽減",
    ),
    ServiceSketch(
        "nouzei",
        "市税の納付の相談",
        "しぜいののうふのそうだん",
        "税金",
        "一度に納めるのが難しいときに、分けて納める方法などを相談できます。",
        30,
        "納税課",
        ((TOWN_HALL, "4番"),),
        ("納税通知書または督促状", "収入と支出が分かる物"),
        "滞納 分納 延滞金 差し押さえ",
    ),
    ServiceSketch(
        "hitorioya",
        "児童手当・ひとり親の手当",
        "じどうてあてひとりおやのてあて",
        "子育て",
        "児童手当、児童扶養手当、医療費の助成の申請を受け付けます。",
        30,
        "こども家庭課",
        ((TOWN_HALL, "7番"),),
        ("本人確認書類", "通帳", "戸籍謄本（ひとり親の方）"),
        "出産 離婚 医療費",
    ),
    ServiceSketch(
        "seikatsu",
        "生活の困りごと",
        "せいかつのこまりごと",
        "福祉",
        "生活費、家賃、仕事のことなど、暮らしの困りごとを伺います。急ぐときは予約なしでお越しください。",
        60,
        "生活福祉課",
        ((TOWN_HALL, "8番"),),
        (),
        "生活保護 家賃 食料 失業",
        "required",
    ),
    ServiceSketch(
        "shogai",
        "障害者手帳・高齢者の福祉",
        "しょうがいしゃてちょうこうれいしゃのふくし",
        "福祉",
        "手帳の申請、福祉サービス、配食や見守りについて相談できます。",
        30,
        "高齢・障害課",
        ((TOWN_HALL, "9番"),),
        ("本人確認書類", "診断書（あれば）", "写真（縦4cm・横3cm）"),
        "身体障害 療育 精神 介護 見守り",
    ),
    ServiceSketch(
        "shomei",
        "住民票・戸籍などの証明書",
        "じゅうみんひょうこせきなどのしょうめいしょ",
        "届出",
        "予約は要りません。窓口へお越しください。",
        15,
        "市民課",
        ((TOWN_HALL, "1番"), (TOWN_HALL, "2番"), (BRANCH, "支所窓口")),
        ("本人確認書類", "手数料"),
        "印鑑証明 戸籍 謄本 抄本",
        "announced",
    ),
)
