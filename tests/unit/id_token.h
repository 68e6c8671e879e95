/* SPDX-License-Identifier: MIT */
/*
 * ID tokens signed with RS256 by a key that was thrown away, and its public half. All say tenant
 * ID_TOKEN_TENANT, audience "client", nonce "the-nonce"; good until 2100.
 */
#ifndef GG_TESTS_ID_TOKEN_H
#define GG_TESTS_ID_TOKEN_H

#define ID_TOKEN_TENANT "11111111-2222-3333-4444-555555555555"
#define ID_TOKEN_ISSUER "https://login.example/{tenantid}/v2.0"

#define ID_TOKEN_N \
    "vCNGk8-ljZSt46QQTWnt5GkeJpB6k1KgGImDKlfQqaDXwz5aCzEo1Vs984h64qMiZYU0ntRtZAnGLmarEhnTVVVu" \
    "bjLa2r2fjwkAvuPSVhEt0eM8OoOInAG3R17y6hyFqdWouhCmfi1HaQnXz3JaS0x2gMWKhY00lGVcVYzMFv0mG210" \
    "0sw8xVnsOtrrnOIBUc2oXILFxVrjdlC72ZUBWv6df6rI46biI5tAA-trrZQ6NBfKJaeIk6y6nomFuZK7fOeB-x1h" \
    "VLJ0bfRu3ZCvse2PewyjzHF_PweyrrDZKDp6tnqP-Aq6rN6lcU1HLWbsK_IgSPD81dD3eAbNrRVb6Q"

#define ID_TOKEN_JWK(kid) \
    "{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"" kid "\",\"e\":\"AQAB\",\"n\":\"" ID_TOKEN_N "\"" \
    "}"

#define ID_TOKEN_GOOD \
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS0xIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4" \
    "YW1wbGUvMTExMTExMTEtMjIyMi0zMzMzLTQ0NDQtNTU1NTU1NTU1NTU1L3YyLjAiLCJhdWQiOiJjbGllbnQiLCJl" \
    "eHAiOjQxMDI0NDQ4MDAsImlhdCI6MTcwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJub25jZSI6InRoZS1ub25j" \
    "ZSIsInRpZCI6IjExMTExMTExLTIyMjItMzMzMy00NDQ0LTU1NTU1NTU1NTU1NSIsIm9pZCI6ImFhYWFhYWFhLWJi" \
    "YmItY2NjYy1kZGRkLWVlZWVlZWVlZWVlZSIsImVtYWlsIjoiYW5uQGEuZXhhbXBsZSIsIm5hbWUiOiJBbm4iLCJ2" \
    "ZXIiOiIyLjAiLCJzdWIiOiJzIn0.Q7T69b9M-fmqX64Ws83mkfEHwkbfsGzI5HIJn03QbCc-eS0Ro_A0kUiSSyUu" \
    "gWx-hjsQzF1QMle_aAKfWthnz2qpZ9dzSyVsZ3WAp78RVyOzyDKjlJFZSIlzsuJkFAp0R1DxJ9D5vg8x34IAuVX4" \
    "_7sNS4ZoVgpT7XWToCuweT84HSdPsPuh6APUW8T7HvFxpdq4oXdw7_7i7OhHhdlM1-zdVDV2pLr46BWZA3hp_P4s" \
    "UF_95hMeVdZF8sOR189TaBqmU1EeLBrN8IMo9vF2nkCscxF0y6YoqFae-ArrY8MvNELKIYx3mjBDsUpVho3_evi3" \
    "2zBznuXoxy5LO6QVUQ"

/* Its time is over. */
#define ID_TOKEN_OLD \
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS0xIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4" \
    "YW1wbGUvMTExMTExMTEtMjIyMi0zMzMzLTQ0NDQtNTU1NTU1NTU1NTU1L3YyLjAiLCJhdWQiOiJjbGllbnQiLCJl" \
    "eHAiOjE3MDAwMDM2MDAsImlhdCI6MTcwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJub25jZSI6InRoZS1ub25j" \
    "ZSIsInRpZCI6IjExMTExMTExLTIyMjItMzMzMy00NDQ0LTU1NTU1NTU1NTU1NSIsIm9pZCI6ImFhYWFhYWFhLWJi" \
    "YmItY2NjYy1kZGRkLWVlZWVlZWVlZWVlZSIsImVtYWlsIjoiYW5uQGEuZXhhbXBsZSIsIm5hbWUiOiJBbm4iLCJ2" \
    "ZXIiOiIyLjAiLCJzdWIiOiJzIn0.b44acRwi00gPUf06cV9dkcjiXH4Rh5bE9rxIYnN2D-HFI3LCqChhBwNfjAfC" \
    "MqMooMujo-8FRDMU-SRzZ-RDEMMf6zRPGh3l6ddikXfVZ7TyMnVqsY5hpUqyWudzZT77zN3jcqAZleqU-5JsE8EU" \
    "zguZ9z9NQT0H5SUl89M9wbt6kisv-GIk5HRcqvf7cNn3pMuBuy_Paa1CJfH8SRFYOl-opbUKXpuCbTMiNooymhjU" \
    "LGmVH54mJnxjDUb6DHz_Xjd1CBhnCFd2jlg_r5n-rrIu1mUgNU0G4HkHH12p2D4sPGWrZfItl0Kwz_6ZdzW6kIGw" \
    "9w4_ANCcxMt4Ik8Gcg"

/* By a key that no set has. */
#define ID_TOKEN_UNKNOWN_KEY \
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS0yIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4" \
    "YW1wbGUvMTExMTExMTEtMjIyMi0zMzMzLTQ0NDQtNTU1NTU1NTU1NTU1L3YyLjAiLCJhdWQiOiJjbGllbnQiLCJl" \
    "eHAiOjQxMDI0NDQ4MDAsImlhdCI6MTcwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJub25jZSI6InRoZS1ub25j" \
    "ZSIsInRpZCI6IjExMTExMTExLTIyMjItMzMzMy00NDQ0LTU1NTU1NTU1NTU1NSIsIm9pZCI6ImFhYWFhYWFhLWJi" \
    "YmItY2NjYy1kZGRkLWVlZWVlZWVlZWVlZSIsImVtYWlsIjoiYW5uQGEuZXhhbXBsZSIsIm5hbWUiOiJBbm4iLCJ2" \
    "ZXIiOiIyLjAiLCJzdWIiOiJzIn0.sxSqmRAeFF0EQlxtmLUPEVTMU-h_mBoT0usL9Ciic_SF0iczjzlOOrpKGzvi" \
    "VzO3z5NfbqHJj4TY4Vbt9JF7hn0NVpkRKVGABVIGx75XKJkv6xzDTLa93uVLOjXAJ8nbaUYweCBC-RJUnQF8-CrK" \
    "B9oUwdBvAsSR9GK5EHE5a0jU7LrvRexBQLJnpWuVA81LMGqTxFsrOMgyf7Dg1ZeUvb2aw8jY5nov7nrRotu1d994" \
    "joIJpQ8s-_Qsf3_vLcgT7Txx5eO8HqgpYus_msX1tnjKcfu3CSBv1h_WBZ5qfNvpA8-WGUGKz9_m25w8CiA89w3p" \
    "IrgzKPgyJhMwElWGZQ"

#endif
