//+------------------------------------------------------------------+
//| GoldTraderTicks: posts a chart's ticks to the analysis server.    |
//|                                                                   |
//| Attach it to one chart of each symbol. In Tools > Options >       |
//| Expert Advisors allow WebRequest for the addresses of both URLs.  |
//| README.md beside this file says more; docs/reference/wire.md      |
//| describes what is posted.                                         |
//+------------------------------------------------------------------+
#property copyright "GoldTrader contributors"
#property version   "1.00"
#property strict

input string InpGatewayUrl = "https://HOST:8765/http/v1/ticks";           // The gateway's entry
input string InpTokenUrl   = "https://HOST/api/v1/connectors/token";      // Where tokens come from
input string InpApiKey     = "";                                          // API key, scope connector
input string InpName       = "mt5-advisor";                               // The connector's name
input string InpSymbol     = "";                                          // Name at the server; empty: the chart's
input int    InpUtcOffset  = 10000;                                       // Server clock before UTC (minutes); 10000: measured
input int    InpPostEvery  = 500;                                         // Milliseconds between posts

const int MOST_ROWS      = 1000;  // ticks in one request
const int MOST_PENDING   = 20000; // ticks that wait; the terminal keeps the others
const int HEARTBEAT_SECS = 15;
const int TIMEOUT_MS     = 12000;

struct PendingTick
  {
   long              utc_msc;
   double            bid;
   double            ask;
  };

string      g_symbol;             // as the server calls it
string      g_token = "";
datetime    g_token_renew = 0;    // local time from which on a new token is fetched
string      g_session = "";
string      g_role = "";
long        g_next_seq = 0;       // number of g_pending[0]
PendingTick g_pending[];
long        g_cursor_msc = 0;     // server clock: the newest tick that was read
int         g_cursor_count = 0;   // how many ticks of that millisecond were read
long        g_newest_utc = 0;     // a tick that goes back gets the newest one's time
datetime    g_heartbeat = 0;
datetime    g_wait_until = 0;
int         g_pause = 1;          // seconds; doubles while the server does not answer
bool        g_was_connected = true;

//+------------------------------------------------------------------+
int OnInit()
  {
   g_symbol = (InpSymbol == "") ? _Symbol : InpSymbol;
   if(InpApiKey == "")
     {
      Print("GoldTrader: give the API key (InpApiKey).");
      return(INIT_PARAMETERS_INCORRECT);
     }
   MathSrand((int)(GetTickCount() ^ (uint)TimeLocal()));
   // A session of a run that crashed would hold the name until it is silent for 90 s.
   g_session = LoadSession();
   if(!EventSetMillisecondTimer(MathMax(InpPostEvery, 100)))
      return(INIT_FAILED);
   return(INIT_SUCCEEDED);
  }

void OnDeinit(const int reason)
  {
   EventKillTimer();
   EndSession();
  }

void OnTimer()
  {
   if(TimeLocal() < g_wait_until)
      return;
   if(!EnsureToken())
      return;
   if(g_session != "" && g_role == "")
      EndSession();
   if(g_session == "" && !BeginSession())
      return;
   if(g_role == "active")
      ReadTicks();
   PostMessages();
  }

//+------------------------------------------------------------------+
//| Tokens                                                            |
//+------------------------------------------------------------------+
bool EnsureToken()
  {
   if(g_token != "" && TimeLocal() < g_token_renew)
      return(true);
   string answer;
   string body = "{\"name\":\"" + Escaped(InpName) + "\",\"symbols\":[\"" + Escaped(g_symbol) + "\"]}";
   int status = Post(InpTokenUrl, "Api-Key " + InpApiKey, body, answer);
   if(status != 200)
     {
      Refused("a token", status, answer);
      // The old one may be good for a while.
      return(g_token != "" && status != 401 && status != 403);
     }
   g_token = JsonString(answer, "token");
   // Tokens live for a day at most; the next one is fetched after twelve hours.
   g_token_renew = TimeLocal() + 12 * 3600;
   return(g_token != "");
  }

//+------------------------------------------------------------------+
//| Sessions                                                          |
//+------------------------------------------------------------------+
bool BeginSession()
  {
   string answer;
   // Numbers begin anew with each session, and so does their identity.
   string body = "{\"symbols\":[\"" + Escaped(g_symbol) + "\"],\"spool\":\"" + RandomName() + "\"}";
   int status = Post(InpGatewayUrl, "Bearer " + g_token, body, answer);
   if(status != 200)
     {
      if(status == 401)
         g_token = "";
      Refused("a session", status, answer);
      return(false);
     }
   g_pause = 1;
   g_session = JsonString(answer, "session");
   SaveSession(g_session);
   g_role = JsonString(JsonObject(answer, "role"), g_symbol);
   Place(answer);
   g_heartbeat = 0;
   PrintFormat("GoldTrader: %s of %s, from number %I64d on.", g_role, g_symbol, g_next_seq);
   return(true);
  }

void EndSession()
  {
   if(g_session == "")
      return;
   string answer;
   if(g_token != "" || EnsureToken())
      Post(InpGatewayUrl, "Bearer " + g_token, "{\"session\":\"" + g_session + "\",\"close\":true}", answer);
   ForgetSession();
  }

void ForgetSession()
  {
   g_session = "";
   g_role = "";
   ArrayResize(g_pending, 0);
   SaveSession("");
  }

// Begin behind the place that the server names: number and time of the last stored tick.
void Place(const string answer)
  {
   string resume = JsonObject(JsonObject(answer, "resume"), g_symbol);
   g_next_seq = JsonInteger(resume, "seq", 0) + 1;
   long utc = JsonInteger(resume, "time", 0);
   ArrayResize(g_pending, 0);
   // Ticks of that very millisecond are sent, too: the server knows which ones it has.
   g_cursor_msc = (utc > 0) ? utc + OffsetMsc() : (long)TimeTradeServer() * 1000;
   g_cursor_count = 0;
   g_newest_utc = utc;
  }

//+------------------------------------------------------------------+
//| Ticks                                                             |
//+------------------------------------------------------------------+
// The clock of the broker's server before UTC, in milliseconds; to half hours.
long OffsetMsc()
  {
   if(InpUtcOffset != 10000)
      return((long)InpUtcOffset * 60000);
   double half_hours = (double)(TimeTradeServer() - TimeGMT()) / 1800.0;
   return((long)MathRound(half_hours) * 1800000);
  }

void ReadTicks()
  {
   int waiting = ArraySize(g_pending);
   if(waiting >= MOST_PENDING || !TerminalInfoInteger(TERMINAL_CONNECTED))
      return;
   MqlTick ticks[];
   int found = CopyTicks(_Symbol, ticks, COPY_TICKS_INFO, (ulong)g_cursor_msc, MOST_ROWS + g_cursor_count);
   if(found <= 0)
      return;
   long offset = OffsetMsc();
   int passed_over = 0;
   ArrayResize(g_pending, waiting + found);
   for(int i = 0; i < found; i++)
     {
      if(ticks[i].time_msc < g_cursor_msc)
         continue;
      // Of the millisecond that was read last the first ones are known.
      if(ticks[i].time_msc == g_cursor_msc && passed_over < g_cursor_count)
        {
         passed_over++;
         continue;
        }
      if(ticks[i].time_msc > g_cursor_msc)
        {
         g_cursor_msc = ticks[i].time_msc;
         g_cursor_count = 0;
         passed_over = 0;
        }
      g_cursor_count++;
      passed_over++;
      if(ticks[i].bid <= 0.0 || ticks[i].ask <= 0.0)
         continue;
      g_newest_utc = MathMax(g_newest_utc, ticks[i].time_msc - offset);
      g_pending[waiting].utc_msc = g_newest_utc;
      g_pending[waiting].bid = ticks[i].bid;
      g_pending[waiting].ask = ticks[i].ask;
      waiting++;
     }
   ArrayResize(g_pending, waiting);
  }

//+------------------------------------------------------------------+
//| Messages                                                          |
//+------------------------------------------------------------------+
void PostMessages()
  {
   string messages = "";
   bool is_connected = (bool)TerminalInfoInteger(TERMINAL_CONNECTED);
   if(is_connected != g_was_connected)
      Append(messages, Report(is_connected));
   bool heartbeat_due = TimeLocal() >= g_heartbeat;
   if(heartbeat_due)
      Append(messages, "{\"type\":\"heartbeat\",\"timestamp\":\"" + Now() + "\"}");
   int rows = (g_role == "active") ? MathMin(ArraySize(g_pending), MOST_ROWS) : 0;
   if(rows > 0)
      Append(messages, Ticks(rows));
   if(messages == "")
      return;
   string answer;
   string body = "{\"session\":\"" + g_session + "\",\"messages\":[" + messages + "]}";
   int status = Post(InpGatewayUrl, "Bearer " + g_token, body, answer);
   if(status != 200)
     {
      Refused("ticks", status, answer);
      if(status == 401)
         g_token = "";
      // Whether it was stored is not known; after 503 and no answer the same is sent again.
      if(status >= 400 && status < 500)
         EndSession();
      return;
     }
   g_pause = 1;
   g_was_connected = is_connected;
   if(heartbeat_due)
      g_heartbeat = TimeLocal() + HEARTBEAT_SECS;
   string told = JsonArray(answer, "messages");
   if(told != "" && told != "[]")
      Print("GoldTrader: the server says ", told);
   string role = JsonString(JsonObject(answer, "role"), g_symbol);
   if(role != g_role)
     {
      PrintFormat("GoldTrader: %s of %s.", role, g_symbol);
      g_role = role;
      Place(answer);
      return;
     }
   DropStored(JsonInteger(JsonObject(JsonObject(answer, "resume"), g_symbol), "seq", g_next_seq - 1));
  }

void DropStored(const long seq)
  {
   long stored = MathMin(seq - g_next_seq + 1, (long)ArraySize(g_pending));
   if(stored <= 0)
      return;
   ArrayRemove(g_pending, 0, (uint)stored);
   g_next_seq += stored;
  }

string Ticks(const int rows)
  {
   string text = "{\"type\":\"ticks\",\"symbol\":\"" + Escaped(g_symbol) + "\",\"seq\":" + IntegerToString(g_next_seq) + ",\"rows\":[";
   for(int i = 0; i < rows; i++)
      text += (i > 0 ? "," : "") + "[" + IntegerToString(g_pending[i].utc_msc) + ","
              + DoubleToString(g_pending[i].bid, 5) + "," + DoubleToString(g_pending[i].ask, 5) + "]";
   return(text + "]}");
  }

string Report(const bool is_connected)
  {
   string code = is_connected ? "MT5_RECONNECTED" : "MT5_DISCONNECTED";
   string text = is_connected ? "the terminal is connected again" : "the terminal has no connection to the broker";
   return("{\"type\":\"error\",\"code\":\"" + code + "\",\"message\":\"" + text + "\",\"timestamp\":\"" + Now() + "\"}");
  }

void Append(string &messages, const string message)
  {
   messages += (messages == "" ? "" : ",") + message;
  }

string Now()
  {
   string text = TimeToString(TimeGMT(), TIME_DATE | TIME_SECONDS); // 2024.01.05 14:30:00
   StringReplace(text, ".", "-");
   StringReplace(text, " ", "T");
   return(text + "Z");
  }

//+------------------------------------------------------------------+
//| HTTP                                                              |
//+------------------------------------------------------------------+
int Post(const string url, const string authorization, const string body, string &answer)
  {
   char data[], result[];
   string result_headers;
   int length = StringToCharArray(body, data, 0, WHOLE_ARRAY, CP_UTF8) - 1; // without the zero at its end
   ArrayResize(data, MathMax(length, 0));
   string headers = "Authorization: " + authorization + "\r\nContent-Type: application/json\r\n";
   ResetLastError();
   int status = WebRequest("POST", url, headers, TIMEOUT_MS, data, result, result_headers);
   answer = CharArrayToString(result, 0, WHOLE_ARRAY, CP_UTF8);
   if(status == -1 && GetLastError() == 4014)
      Print("GoldTrader: allow WebRequest for ", url, " in Tools > Options > Expert Advisors.");
   return(status);
  }

// Say what was refused, and wait before the next attempt, longer each time.
void Refused(const string what, const int status, const string answer)
  {
   if(status != 410)
      PrintFormat("GoldTrader: %s was refused (%d): %s", what, status, JsonString(answer, "message"));
   g_wait_until = TimeLocal() + ((status == 410) ? 0 : g_pause);
   g_pause = MathMin(2 * g_pause, 30);
  }

//+------------------------------------------------------------------+
//| The session's name, kept for a run that follows a crash           |
//+------------------------------------------------------------------+
string SessionFile()
  {
   return("GoldTrader." + InpName + "." + g_symbol + ".session");
  }

void SaveSession(const string session)
  {
   int file = FileOpen(SessionFile(), FILE_WRITE | FILE_TXT | FILE_ANSI);
   if(file == INVALID_HANDLE)
      return;
   FileWriteString(file, session);
   FileClose(file);
  }

string LoadSession()
  {
   int file = FileOpen(SessionFile(), FILE_READ | FILE_TXT | FILE_ANSI);
   if(file == INVALID_HANDLE)
      return("");
   string session = FileReadString(file);
   FileClose(file);
   return(session);
  }

string RandomName()
  {
   string name = "";
   for(int i = 0; i < 8; i++)
      name += StringFormat("%04x", MathRand());
   return(name);
  }

//+------------------------------------------------------------------+
//| As much of JSON as the answers need: what stands behind a name    |
//+------------------------------------------------------------------+
int BehindName(const string json, const string name)
  {
   string quoted = "\"" + name + "\":";
   int place = StringFind(json, quoted);
   if(place < 0)
      return(-1);
   place += StringLen(quoted);
   while(place < StringLen(json) && StringGetCharacter(json, place) == ' ')
      place++;
   return(place);
  }

string JsonString(const string json, const string name)
  {
   int place = BehindName(json, name);
   if(place < 0 || StringGetCharacter(json, place) != '"')
      return("");
   string text = "";
   for(int i = place + 1; i < StringLen(json); i++)
     {
      ushort letter = StringGetCharacter(json, i);
      if(letter == '"')
         return(text);
      if(letter == '\\')
         letter = StringGetCharacter(json, ++i);
      text += ShortToString(letter);
     }
   return("");
  }

long JsonInteger(const string json, const string name, const long missing)
  {
   int place = BehindName(json, name);
   if(place < 0)
      return(missing);
   string digits = "";
   for(int i = place; i < StringLen(json); i++)
     {
      ushort letter = StringGetCharacter(json, i);
      if(letter < '0' || letter > '9')
         break;
      digits += ShortToString(letter);
     }
   return((digits == "") ? missing : StringToInteger(digits));
  }

string JsonObject(const string json, const string name)
  {
   return(Enclosed(json, name, '{', '}'));
  }

string JsonArray(const string json, const string name)
  {
   return(Enclosed(json, name, '[', ']'));
  }

string Enclosed(const string json, const string name, const ushort opening, const ushort closing)
  {
   int place = BehindName(json, name);
   if(place < 0 || StringGetCharacter(json, place) != opening)
      return("");
   int depth = 0;
   bool in_string = false;
   for(int i = place; i < StringLen(json); i++)
     {
      ushort letter = StringGetCharacter(json, i);
      if(in_string && letter == '\\')
         i++;
      else
         if(letter == '"')
            in_string = !in_string;
         else
            if(!in_string && letter == opening)
               depth++;
            else
               if(!in_string && letter == closing && --depth == 0)
                  return(StringSubstr(json, place, i - place + 1));
     }
   return("");
  }

string Escaped(const string text)
  {
   string escaped = text;
   StringReplace(escaped, "\\", "\\\\");
   StringReplace(escaped, "\"", "\\\"");
   return(escaped);
  }
//+------------------------------------------------------------------+
