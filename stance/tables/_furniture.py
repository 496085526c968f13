"""Page furniture of a saved article, told by what stands on a line: navigation, dates, credits."""

import re
from functools import cache
from typing import Literal, TypeAlias

Reason: TypeAlias = Literal[
    "navigation",
    "date",
    "byline",
    "author box",
    "caption",
    "credit",
    "media",
    "share",
    "newsletter",
    "subscription",
    "related",
    "advertisement",
    "cookies",
    "comments",
    "footer",
]

# --- Labels: furniture when they are all there is on the line ------------------------------------

_LABELS: dict[Reason, str] = {
    "navigation": """
        menu|open menu|close menu|home|homepage|search|close|sections|more|more news|next
        previous|back|back to home|back to top|show more|show less|see all|view all|sign in
        sign out|log in|login|register|my account|edition|international edition|live|breaking
        breaking news|exclusive|news|latest|latest news|world|world news|international|europe
        africa|americas|asia|middle east|politics|business|economy|markets|money|opinion|comment
        analysis|editorial|explainer|features|culture|arts|lifestyle|travel|sport|sports|health
        science|tech|technology|climate|environment|weather|video|videos|audio|podcasts|photos
        obituaries|crosswords|games|tv|radio|loading|topics|tags|related topics|in this story
        in this article|explore more on these topics""",
    "date": "just now|yesterday|today|an hour ago|a day ago",
    "author box": "about the author|about the authors|follow|follow us",
    "caption": """
        image caption|view image in fullscreen|open image in gallery|enlarge image""",
    "credit": """
        agencies|news agencies|staff and agencies|staff report|image source|image credit
        photo credit|our standards: the thomson reuters trust principles""",
    "media": """
        play|pause|play video|watch|watch now|watch live|listen|listen now|listen to article
        listen to this article|media caption|full screen""",
    "share": """
        share|share this|share article|share options|copy link|link copied|facebook|twitter|x
        tweet|post|whatsapp|telegram|reddit|linkedin|pinterest|instagram|youtube|threads|bluesky
        messenger|email|e-mail|print|print this page|save|save article|bookmark|gift article
        gift this article""",
    "newsletter": "newsletter|newsletters|sign up|email address|your email address",
    "subscription": """
        subscribe|donate|support us|become a member|join now|subscribers only|for subscribers
        premium|create a free account|start your free trial|support independent journalism""",
    "related": """
        related|related articles|related stories|related content|related news|more on this story
        more on this topic|most read|most popular|most viewed|trending|trending now
        you may also like|you might also like|recommended|recommended stories
        recommended for you|top stories|editor's picks|editors' picks|read more|read next
        read also|also read|see also|more stories|what to read next|keep reading|don't miss
        latest stories|up next|end of list""",
    "advertisement": """
        advertisement|advertisements|ad|ads|sponsored|sponsored content|paid content
        promoted content|skip advertisement|ad feedback|remove ads|scroll to continue
        continue reading""",
    "cookies": """
        accept|accept all|accept cookies|accept all cookies|reject all|manage cookies
        manage preferences|cookie settings|cookie policy|i agree|got it|your privacy choices""",
    "comments": """
        comments|no comments|no comments yet|view comments|show comments|leave a comment
        leave a reply|add a comment|post a comment|join the conversation|comments are closed
        reply|report abuse""",
    "footer": """
        about|about us|contact|contact us|careers|terms|terms of use|terms of service|privacy
        imprint|terms and conditions|privacy policy|accessibility|accessibility help|advertise
        sitemap|help|advertise with us|faq|corrections|site index|rss
        do not sell my personal information""",
}  # fmt: skip


def _lines(table: str) -> list[str]:
    return [line.strip() for line in table.splitlines() if line.strip()]


_REASON_OF_LABEL: dict[str, Reason] = {
    label: reason
    for reason, table in _LABELS.items()
    for line in _lines(table)
    for label in line.split("|")
}
_LABEL_EDGES = " :•*+-–—→›»>▼▾…()[]0123456789"  # bullets, arrows, counts: "▼ Comments (34)"

# --- Patterns: one a line, from the start of the text, blind to case but for names ---------------

_LONGEST_FURNITURE = 600  # characters; no pattern sees a longer line, so time is linear in the page
_WORD = r"[A-Z\u00c0-\u00de\u0100-\u017f][\w'’.-]{0,30}"
_OTHER_WORD = rf"(?: (?:(?:de|da|di|van|von|der|den|bin|al) ){{0,2}}{_WORD})"
_PLACEHOLDERS = {
    "<role of>": r"<role>(?: (?:in|at|for|of) (?:the )?<name>)?",
    "<names>": "<name in>(?:(?:,| and|, and| &) <name in>){0,9}",
    "<name in>": "<name>(?: (?:in|for) <name>)?",
    "<name>": rf"(?-i:{_WORD}{_OTHER_WORD}{{0,4}})",
    "<full name>": rf"(?-i:{_WORD}{_OTHER_WORD}{{1,3}})",
    "<role>": "(?:correspondent|reporter|editor|columnist|bureau chief|staff writer|journalist"
    "|leader writer|fellow|lecturer|professor)",
    "<agency>": "(?-i:AP|AFP|Reuters|REUTERS|EPA|EPA-EFE|EFE|dpa|ANSA|PA|PA Media|Xinhua|Kyodo|TASS"
    "|ANI|PTI|Anadolu|Anadolu Agency|Bloomberg|Shutterstock|Alamy|Getty|Getty Images|Handout|Pool"
    "|(?:The )?Associated Press|Agence France-Presse|The Canadian Press)",
    "<network>": "(?-i:X|Twitter|Facebook|Instagram|Threads|Bluesky|Telegram|WhatsApp|YouTube"
    "|LinkedIn|Mastodon|TikTok|Google News)",
    "<not in the news>": r"(?!.*\b(?:arrest|detain|jail|held|kill|accus|expel|wound|said|trial))",
}
_PATTERNS: dict[Reason, str] = {
    "navigation": r"""
        skip to (?:the )?(?:main |primary )?(?:content|navigation|menu|footer|search)\b
        home [>›»/|·•→] .*
        (?:tags?|topics?|filed under|categories|more on): \S
        \d{1,3}\.?$
        (?:https?://|www\.)\S+$""",
    "date": r"""
        (?:estimated )?read(?:ing)? time:? \d{1,3} min
        \d{1,3}[ -]min(?:ute)?s? read$
        \d{4}[-/.]\d\d[-/.]\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?$""",
    "byline": r"""
        by <full name>(?:(?:,| and|, and| &) <full name>){0,9}(?:,? (?:[\w-]+ ){0,4}<role of>)?$
        by <full name>(?: (?:and|&) <full name>)? in <name>$
        by (?:<agency>|(?:[\w'’-]+ ){0,5}(?:correspondents?|reporters?|staff|agencies))$""",
    "author box": r"""
        <full name> is (?:an?|the|our|\S+['’]s?) <not in the news>(?:[\w'’&,-]+ ){0,8}<role>\.?$
        <full name> is an? <not in the news>(?:[\w'’&,-]+ ){0,8}<role>\.? (?:she|he|they|follow)\b
        <full name> is (?:an?|the|our|\S+['’]s?) <not in the news>(?:[\w'’&,-]+ ){0,8}<role>,? """
    r"""(?:for|at|of|in|with|on|based|covering|and|who (?:covers|writes|reports)) [^.]{1,120}\.?$
        <full name> (?:covers|writes about|reports on) [^.]{3,80} for (?:the )?<name>\.?$
        <full name> is the author of\b
        (?:you can )?follow (?:@\w|.{1,80} on <network>\b)
        @\w{2,30}$
        the (?:writer|author)s? (?:is|are) (?:an? |the )
        (?:the )?(?:views|opinions) expressed\b
        (?:contact|email|e-mail)\b.{0,60} [\w.+-]{1,40}@[\w.-]{3,60}$""",
    "caption": r"""
        (?:image|photo|media|video) caption\b ?[,:]
        (?:file )?(?:photo(?:graph)?s?|pictures?|images?|illustration|graphic)(?: by| courtesy)?:
        (?-i:FILE)(?: PHOTO| PIC)? ?[-–—:]
        (?:pictured|above|from left): \S
        [^(].*[(\[](?-i:AP Photo|File|Photo|Photograph|Image)\b[^()\[\]]*[)\]]$
        .*\[[^\[\]]*\b<agency>\]$
        .*[.!?)’”"] (?-i:Photograph|Photo|Picture|Image|Credit): ?[^.:]{2,80}[^.:!?"”]$""",
    "credit": r"""
        (?:image|photo|picture) (?:source|credit)s?\b ?[,:]
        credit(?:s?:|\.\.\.|…)
        [(\[](?:AP Photo|photo|image|photograph)\b[^()\[\]]*[)\]]$
        [©(\[–—-]{0,2} ?(?:<name> ?/ ?|pool via )?<agency>(?:(?: via | ?/ ?)<name>){0,3}[)\]]?$
        [(\[]?(?:additional )?reporting (?:by|from) <names>(?:[;.)\]]|$)
        [(\[]?(?:writing|editing|edited|compiled|translated)(?: by:?|:) <names>[.)\]]{0,2}$
        [(\[]?with (?:an? )?(?:reports?|reporting|files?|inputs?) (?:from|by) <names>[.)\]]{0,2}$
        [(\[]?with (?:reports?|files?|inputs?) from (?:\w+ )?agencies[.)\]]{0,2}$
        .{2,150}\bcontributed to this (?:report|article|story)[.)\]]{0,2}$
        .{2,150}\bcontributed reporting(?: (?:from|in) [\w ,]{2,60})?[.)\]]{0,2}$
        [(\[]?this (?:article|story) (?:was (?:first|originally) published|has not been edited)\b
        sources?: (?:news |wire )?agencies$""",
    "media": r"""
        (?:watch|video|listen|podcast|audio|in pictures): \S
        \d{1,2}:\d\d(?: ?/ ?\d{1,2}:\d\d)?$
        this (?:video|audio) (?:cannot|can not|can't|could not|is not available)\b""",
    "share": r"""
        (?:share|tweet|post|save)(?: this)?(?: \w+)? (?:on|to|via|by|with) (?:<network>|e-?mail)$
        share this (?:article|story|page|post)\b""",
    "newsletter": r"""
        sign up (?:now|today|here|(?:for|to) (?:our|my))\b
        sign up (?:for|to) .*\b(?:newsletters?|e-?mails?|inbox|briefing|alerts|updates|digest)\b
        .{0,200}\b(?:in|to) your inbox\b
        (?:get|receive) (?:our|the latest|the best) .*\b(?:newsletters?|e-?mail|every morning)\b
        (?:by signing up|by subscribing|you can unsubscribe|enter your e-?mail)\b
        subscribe to (?:our|the|my) .*\b(?:newsletters?|briefing|podcast|channel|e-?mails?)\b""",
    "subscription": r"""
        (?:subscribe|register|log in|sign in) (?:now )?(?:to|for) (?:read|continue|unlimited|full)\b
        subscribe (?:now|today)\b
        (?:already|not) an? (?:subscriber|member)\?
        this (?:article|story) is (?:only )?(?:for|available to) (?:our )?(?:\w+ )?subscribers\b
        (?:support|help us fund) (?:our|independent|quality) .*\bjournalism\b""",
    "related": r"""
        (?:also )?(?:read|see|related)(?: (?:more|also|next|stories|articles|story))? ?[:|»] ?\S
        read more (?:on|about|from|at|here|in)\b[^.]*$
        more (?:from|in|on) <name>$
        list (?:of \d+ items|\d+ of \d+)$""",
    "advertisement": r"""
        (?:story|article|content) continues (?:below|after)\b
        (?:sponsored|promoted|paid for) by [^.]{2,60}$""",
    "cookies": r"""
        (?:we|(?:this|our) (?:web)?site|we and our .{0,9}partners) (?:use|store)s?\b.*\bcookies\b
        by (?:continuing|clicking|using this)\b.*\b(?:cookies|agree|consent)\b""",
    "comments": r"""
        (?:(?:view|show|see|read) )?(?:all )?[\d,.]+ (?:more )?(?:comments?|replies|reactions)$
        (?:please )?(?:log in|sign in|be the first) to (?:leave a |post a )?comment\b""",
    "footer": r"""
        ©(?! ?(?:reuters|afp|ap)\b)
        copyright (?:©|\(c\)|\d{4}|by\b)
        .*\b(?-i:All [Rr]ights [Rr]eserved)\b
        .{2,60} is not responsible for the content of external (?:web)?sites\b
        powered by [\w. ]{2,30}$
        download (?:our|the) .{0,40}\bapp\b""",
}  # fmt: skip


def _compiled(table: str) -> re.Pattern[str]:
    pattern = "|".join(f"(?:{line})" for line in _lines(table))
    for placeholder, meaning in _PLACEHOLDERS.items():  # in order: some stand for later ones
        pattern = pattern.replace(placeholder, meaning)
    return re.compile(pattern, re.IGNORECASE)


@cache  # compiled where there is an article, for it takes 40 ms
def _rules() -> dict[Reason, re.Pattern[str]]:
    return {reason: _compiled(table) for reason, table in _PATTERNS.items()}


_LIST_MARK = re.compile(r"[•▪◦●*–—-]+ +(?=\w)")
_SEPARATOR = re.compile(r" [•·›»>/→] |\||\t")
_DATE_WORDS = frozenset(
    word
    for line in _lines("""
        first last published updated posted modified on at the ago just now of yesterday today
        second seconds minute minutes min mins hour hours hr hrs day days week weeks month months
        monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun
        january february march april may june july august september october november december
        jan feb mar apr jun jul aug sep sept oct nov dec a p m am pm noon midnight local time
        gmt utc bst est edt cst cdt mst mdt pst pdt et ct pt cet cest eet eest ist jst msk""")
    for word in line.split()
)
_NUMBER = re.compile(r"\d{1,4}(?:st|nd|rd|th|h|am|pm|z)?$")


def furniture_of(text: str) -> Reason | None:
    """Say which furniture a line is; None for a paragraph."""
    if len(text) > _LONGEST_FURNITURE:
        return None
    parts = [part for part in map(str.strip, _SEPARATOR.split(text)) if part]
    if len(parts) < 2:
        return _reason_of_part(text)
    reasons = [_reason_of_part(part) for part in parts]
    if all(reasons):
        return reasons[0]
    judged = zip(parts, reasons, strict=True)
    if len(parts) > 2 and all(reason or is_menu_item(part) for part, reason in judged):
        return "navigation"
    return _reason_of_part(text)


def _reason_of_part(text: str) -> Reason | None:
    plain = " ".join(text.split())
    if mark := _LIST_MARK.match(plain):
        plain = plain[mark.end() :]
    if reason := _REASON_OF_LABEL.get(_label(plain)):
        return reason
    if _is_date(plain):
        return "date"
    return next((reason for reason, rule in _rules().items() if rule.match(plain)), None)


def _label(text: str) -> str:
    return text.replace("’", "'").lower().strip(_LABEL_EDGES)


def _is_date(text: str) -> bool:
    """Whether there is nothing but a date, a time or an age ("Updated 3 hours ago")."""
    words = re.findall(r"\w+", text.lower())
    numbers = [word for word in words if _NUMBER.match(word)]
    return 0 < len(numbers) < len(words) and all(
        word in _DATE_WORDS or _NUMBER.match(word) for word in words
    )


def opens_related(text: str) -> bool:
    """Tell whether a line is a heading such as "Most read", under which other headlines stand."""
    return _REASON_OF_LABEL.get(_label(text)) == "related"


# --- Shapes of lines -----------------------------------------------------------------------------

_MENU_LENGTH = 30  # characters of an item
_MENU_WORDS = 3  # words of an item
_SENTENCE_END = re.compile(r"""[.!?…。！？][)\]"'”’»]*$""")


def is_menu_item(text: str) -> bool:
    """Tell whether a line is so short that it may stand in a menu, and no sentence."""
    return (
        len(text) <= _MENU_LENGTH
        and len(text.split()) <= _MENU_WORDS
        and not ends_as_sentence(text)
    )


def ends_as_sentence(text: str) -> bool:
    """Tell whether a text ends with a stop, quotes and brackets after it or not."""
    return _SENTENCE_END.search(text[-8:]) is not None
